// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Reflection;
using System.Runtime.InteropServices;
using EbpfLb.Agent.Serving;
using EbpfLb.Datapath.Audit;
using EbpfLb.Datapath.Conntrack;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Devices;
using EbpfLb.Datapath.Sockets;
using EbpfLb.Datapath.Status;
using EbpfLb.Datapath.Sync;
using EbpfLb.Linux.Clocks;
using EbpfLb.Linux.Netlink;
using EbpfLb.Linux.Processes;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using KernelDatapath = EbpfLb.Datapath.Loading.Datapath;

namespace EbpfLb.Agent;

/// <summary>The agent from start to end: the composition root.</summary>
public static class AgentProcess
{
    /// <summary>Such as 0.1.0+213d289e21ad: the release and the commit it was built from.</summary>
    public static string Version { get; } = Shorten(
        typeof(AgentProcess).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown");

    /// <summary>Runs until SIGTERM, SIGINT or <paramref name="stopping"/>. Programs and maps stay in place.</summary>
    /// <returns>0 when it was told to stop, 1 when a part of it died.</returns>
    /// <exception cref="Datapath.Loading.DatapathException">The datapath cannot be set up.</exception>
    /// <exception cref="Kubernetes.Manifests.ManifestDirectoryException">The manifests cannot be listed.</exception>
    /// <exception cref="Kubernetes.Api.Client.ApiUnreachableException">There is no usable configuration of an API server.</exception>
    /// <exception cref="BpftoolException">There is no bpftool.</exception>
    public static async Task<int> RunAsync(AgentOptions options, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(options);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        using var terminated = StopOn(PosixSignal.SIGTERM, stop);
        using var interrupted = StopOn(PosixSignal.SIGINT, stop);
        try
        {
            return await RunUntilAsync(options, stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Told to stop while the datapath was being opened: what is half done there, the next start does again.
            return 0;
        }
    }

    private static PosixSignalRegistration StopOn(PosixSignal signal, CancellationTokenSource stop) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            stop.Cancel();
        });

    private static async Task<int> RunUntilAsync(AgentOptions options, CancellationToken stopping)
    {
        using var loggers = CreateLoggers(options.LogLevel);
        var logger = loggers.CreateLogger(typeof(AgentProcess));
        var state = new ClusterStateWriter();
        using var source = ClusterSource.Open(options, state, loggers);
        logger.Starting(Version, options.NodeName, source.Description, Environment.ProcessId);
        foreach (string warning in options.Warnings)
            logger.SettingNotDone(warning);
        foreach (string finding in KernelHardening.Find(options.ProcSys, "/sys/kernel/security/lockdown"))
            logger.KernelHardeningFinding(finding);
        if (options.OomScoreAdj is { } score)
            OomScore.Set(OomScore.OfThisProcess, score, logger);

        var bpftool = new Bpftool(Bpftool.Locate(options.Bpftool), new ProcessRunner(onlyForBpf: true));
        using var datapath = await KernelDatapath
            .OpenAsync(options.Datapath, bpftool, loggers.CreateLogger<KernelDatapath>(), stopping).ConfigureAwait(false);

        var sync = DatapathSync.Restore(datapath.Maps, new DatapathSyncOptions { Maglev = options.Maglev }, TimeProvider.System);
        foreach (string finding in sync.RestoreFindings)
            logger.RestoreFinding(finding);
        logger.Restored(sync.ServicePortCount, sync.FrontendCount, sync.BackendCount);

        // Subscribed before it is read, so that nothing falls between.
        using var monitor = new NetworkMonitor();
        var settings = new NodeSettings(datapath.Maps.Settings);
        settings.Write(options.Flows, NetworkNamespace.CurrentCookie());
        using var network = new NodeNetwork(datapath, options.Devices, settings, loggers.CreateLogger<NodeNetwork>());
        using var sweep = PerPrograms<ConntrackSweep>.TryOpen(datapath, directory => new ConntrackSweep(directory))!;
        using var deadSocketList =
            PerPrograms<DeadSocketList>.TryOpen(datapath, directory => DeadSocketList.TryOpen(directory, datapath.Maps));

        var exit = new ExitStatus();
        var nodeProblems = new NodeProblems(network);
        var sysctls = new NodeSysctls(options.ProcSys, loggers.CreateLogger<NodeSysctls>());
        var kubeProxy = new KubeProxyRules(KubeProxyRules.Find, TimeProvider.System, logger);
        var conntrack = new NodeConntrack(options.ProcSys, "/sys", options.ConntrackSysctls, logger);
        var growth = new MapGrowth(
            datapath.ResizeAsync, datapath.Maps.MaxEntriesOf, options.Datapath.MapSizes.Keys.ToHashSet(), new MapGrowthOptions(),
            TimeProvider.System, loggers.CreateLogger<MapGrowth>());
        var follower = new NetworkFollower(
            monitor.ReadAsync(CancellationToken.None), network, new NetworkFollowerOptions(),
            () =>
            {
                nodeProblems.OfSysctls =
                [
                    .. network.AttachedDevices == 0 ? [] : sysctls.Prepare(
                        options.Flows, network.SourceAddresses.Select(address => address.Family).Where(sync.ServesOutside)),
                    .. conntrack.Prepare(),
                    .. kubeProxy.Look(),
                ];
                foreach (var fill in network.Fills)
                    growth.Note(fill);
            },
            TimeProvider.System, loggers.CreateLogger<NetworkFollower>(), datapath.Use, problem => nodeProblems.OfFollower = problem);
        follower.Begin();
        var sweeps = new SweepLoop(
            () => sweep.Use(program => program.Run(options.Flows.DeadBackendSeconds)), () => datapath.Maps.Conntrack.MaxEntries,
            new SweepOptions(), TimeProvider.System, loggers.CreateLogger<SweepLoop>())
        {
            Filled = growth.Note,
        };
        var grace = new DeadSocketGrace(options.Flows.DeadBackendGrace, TimeProvider.System);
        var deadSockets = deadSocketList is null ? null : new DeadSocketsLoop(
            new DeadSockets(() => grace.Due(deadSocketList.Use(list => list.Read())), DeadSocketEnder.End).Run, () => sync.IsComplete,
            new DeadSocketsOptions(), TimeProvider.System, loggers.CreateLogger<DeadSocketsLoop>(), () => grace.Next);
        using var host = Compose(
            options, state, source, datapath, settings, sync, network, nodeProblems, follower, sweeps, deadSockets, growth, exit, loggers);
        AgentService[] parts = [.. host.Services.GetServices<IHostedService>().OfType<AgentService>()];
        await host.RunAsync(stopping).ConfigureAwait(false);
        // The host gives up waiting after a while; the maps must not be unmapped under a loop that is still writing.
        foreach (var part in parts)
            await (part.ExecuteTask ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        logger.Stopped();
        return exit.Failed ? 1 : 0;
    }

    private static string Shorten(string version)
    {
        const int HashLength = 12;
        int plus = version.IndexOf('+', StringComparison.Ordinal);
        return plus < 0 || version.Length <= plus + 1 + HashLength ? version : version[..(plus + 1 + HashLength)];
    }

    private static ILoggerFactory CreateLoggers(LogLevel level) => LoggerFactory.Create(logging => logging
        .SetMinimumLevel(level)
        .AddFilter("Microsoft", LogLevel.Warning)
        .AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            console.ColorBehavior = LoggerColorBehavior.Disabled;
        })
        // Whoever reads the log and stops must not stop the loops that write it. What was left out is counted in it.
        .Services.Configure<ConsoleLoggerOptions>(console => console.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite));

    private static IHost Compose(
        AgentOptions options, ClusterStateWriter state, ClusterSource source, KernelDatapath datapath, NodeSettings settings,
        DatapathSync sync, NodeNetwork network, NodeProblems nodeProblems, NetworkFollower follower, SweepLoop sweeps,
        DeadSocketsLoop? deadSockets, MapGrowth growth, ExitStatus exit, ILoggerFactory loggers)
    {
        var desired = new DesiredState(new DesiredStateOptions
        {
            NodeName = options.NodeName,
            Maglev = options.Maglev,
            DefaultAlgorithm = options.DefaultAlgorithm,
            AllowNodeExternalIPs = options.AllowNodeExternalIPs,
            ApiServers = source.ApiServer is { } server ? [server] : [],
        })
        {
            // Before the first run: it judges load balancer source ranges by them.
            NodeFacts = FactsOf(network),
        };
        // What the last agent left, for the case that the API tells of none at first.
        foreach (var (key, backends) in sync.ProgrammedBackends(DesiredState.ApiService))
            desired.Recall(key, backends);
        var status = new AgentStatus(datapath.Maps, new AgentValue
        {
            StartedNs = MonotonicClock.NowNs,
            Pid = (uint)Environment.ProcessId,
            Version = Version,
            Node = options.NodeName,
            Source = source.Description,
        });

        var serving = AgentServing.Create(
            options, Version, state, desired, sync, datapath, network, loggers, source.Events is { } events ? events.Warn : null,
            source.LastContact);
        state.Queued = serving.Queued;
        sweeps.Swept = serving.Sweeps.Swept;
        deadSockets?.Looked = serving.Sockets.Looked;
        ulong netns = NetworkNamespace.CurrentCookie();
        var audits = new AuditLoop(
            () => datapath.Use(() => MapImage.Read(datapath.Maps)), () => datapath.Use(datapath.Installation.PutBack),
            () => settings.Mend(options.Flows, netns),
            () => datapath.Installation.Problems, new AuditRecord(datapath.Maps.Audit), serving.Audits, new AuditOptions(),
            TimeProvider.System, loggers.CreateLogger<AuditLoop>());
        var loop = new ReconcileLoop(
            state, desired, sync, status, () => source.Problems,
            new ReconcileOptions { SnatPorts = (options.Flows.SnatPortFirst, options.Flows.SnatPortLast) }, TimeProvider.System,
            loggers.CreateLogger<ReconcileLoop>(),
            backendsMayHaveGone: () =>
            {
                sweeps.Wake();
                deadSockets?.Wake();
            },
            nodeProblems: () =>
            [
                .. audits.Problems, .. nodeProblems.Current, .. deadSockets?.Problems ?? [], .. growth.Problems, .. serving.Problems,
            ],
            serving.Observer, source.Events, growth, audits.Compare);

        growth.Due = loop.Wake;
        growth.Grown = sizes =>
        {
            serving.Grown(sizes);
            // What was refused finds room now.
            loop.Wake();
        };
        source.ProblemsChanged = loop.Wake;
        nodeProblems.Changed = loop.Wake;
        serving.Loop.ProblemsChanged = loop.Wake;
        deadSockets?.ProblemsChanged = loop.Wake;
        audits.Wake = loop.Wake;
        network.SourceAddressesChanged = () =>
        {
            desired.NodeFacts = FactsOf(network);
            loop.Wake();
        };

        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton(exit);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        AddPart(builder.Services, "reconcile loop", loop.RunAsync);
        foreach (var (name, run) in source.Parts)
            AddPart(builder.Services, name, run);
        AddPart(builder.Services, "network follower", follower.RunAsync);
        AddPart(builder.Services, "conntrack sweep", sweeps.RunAsync);
        if (deadSockets is not null)
            AddPart(builder.Services, "look for dead sockets", deadSockets.RunAsync);
        AddPart(builder.Services, "audit", audits.RunAsync);
        AddPart(builder.Services, "HTTP server", serving.Loop.RunAsync);
        return builder.Build();
    }

    private static NodeFacts FactsOf(NodeNetwork network) => new(network.SourceAddresses.ToEquatableArray(), PodCidrs: default);

    // AddHostedService takes one of a type; these are several of one.
    private static void AddPart(IServiceCollection services, string part, Func<CancellationToken, Task> run) =>
        services.AddSingleton<IHostedService>(provider => new AgentService(
            part,
            run,
            provider.GetRequiredService<IHostApplicationLifetime>(),
            provider.GetRequiredService<ExitStatus>(),
            provider.GetRequiredService<ILogger<AgentService>>()));
}
