// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Audit;
using EbpfLb.Datapath.Conntrack;
using EbpfLb.Datapath.Inspection;
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Sync;
using EbpfLb.Linux.Processes;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;
using Microsoft.Extensions.Logging;
using KernelDatapath = EbpfLb.Datapath.Loading.Datapath;

namespace EbpfLb.Agent;

/// <summary>
/// An audit from outside of the agent: what its source says now, against what is in the kernel. Writes nothing unless it is to repair; then
/// the running agent does, because the maps are its own, and without one this process, under the agent's lock.
/// </summary>
public static class AuditProcess
{
    private const int Looks = 4;

    private static readonly TimeSpan ListTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <exception cref="DatapathException">There is no datapath, its maps cannot be read, or the source does not tell all in time.</exception>
    /// <exception cref="Kubernetes.Manifests.ManifestDirectoryException">The manifests cannot be listed.</exception>
    /// <exception cref="Kubernetes.Api.Client.ApiUnreachableException">There is no usable configuration of an API server.</exception>
    public static async Task<AuditFindings> RunAsync(AgentOptions options, bool repair, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(options);
        using var loggers = LoggerFactory.Create(logging => logging
            .SetMinimumLevel(LogLevel.Warning)
            .AddSimpleConsole(console => console.SingleLine = true)
            .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace));
        using var audit = DatapathAudit.Open(options.Datapath.BpfFs);
        if (audit.NodeName is { Length: > 0 } node && node != options.NodeName)
        {
            throw new DatapathException(
                $"{audit.PinPath} was programmed for node '{node}', and this audit is for '{options.NodeName}': give --node-name {node}.");
        }

        bool isOwned = audit.IsOwned();
        var found = await FindAsync(audit, options, loggers, stopping).ConfigureAwait(false);
        if (isOwned && found.Count > 0)
            found = await StillAsync(found, audit, options, loggers, stopping).ConfigureAwait(false);
        if (!repair || found.Count == 0)
            return new AuditFindings(found, [], isOwned);

        var left = isOwned
            ? await RepairByAgentAsync(found, audit, options, loggers, stopping).ConfigureAwait(false)
            : await RepairHereAsync(audit, options, loggers, stopping).ConfigureAwait(false);
        return new AuditFindings(left, [.. found.Except(left)], isOwned);
    }

    // The agent is on its way from one state to the next all the time. What differs in the same way from several lists is no such moment.
    private static async Task<IReadOnlyList<Divergence>> StillAsync(
        IReadOnlyList<Divergence> found, DatapathAudit audit, AgentOptions options, ILoggerFactory loggers, CancellationToken stopping)
    {
        for (int look = 1; look < Looks && found.Count > 0; look++)
        {
            await Task.Delay(Pause, stopping).ConfigureAwait(false);
            found = [.. found.Intersect(await FindAsync(audit, options, loggers, stopping).ConfigureAwait(false))];
        }

        return found;
    }

    private static async Task<IReadOnlyList<Divergence>> RepairByAgentAsync(
        IReadOnlyList<Divergence> found, DatapathAudit audit, AgentOptions options, ILoggerFactory loggers, CancellationToken stopping)
    {
        var time = TimeProvider.System;
        long start = time.GetTimestamp();
        var hasAnswered = audit.Ask();
        var left = found;
        // Devices are looked after by another of its loops, within seconds.
        while (left.Count > 0 && time.GetElapsedTime(start) < AnswerTimeout)
        {
            await Task.Delay(Pause, stopping).ConfigureAwait(false);
            if (hasAnswered())
                left = [.. left.Intersect(await FindAsync(audit, options, loggers, stopping).ConfigureAwait(false))];
        }

        return hasAnswered() ? left : throw new DatapathException(
            $"The agent that has {audit.PinPath} has not answered within {AnswerTimeout.TotalSeconds:F0} seconds, so nothing is known to be "
            + "repaired. 'ebpflb status' says how it is; before its first sync it repairs nothing. If it hangs, restart it.");
    }

    // Not the devices: they belong to whoever follows the network from then on.
    private static async Task<IReadOnlyList<Divergence>> RepairHereAsync(
        DatapathAudit audit, AgentOptions options, ILoggerFactory loggers, CancellationToken stopping)
    {
        // First: a source may take its time, and an agent that starts meanwhile must find the lock free.
        var desired = await DesireAsync(audit, options, loggers, stopping).ConfigureAwait(false);
        var place = options.Datapath with { Cgroup = options.Datapath.Cgroup ?? CgroupOf(options.Datapath.BpfFs) };
        var bpftool = new Bpftool(Bpftool.Locate(options.Bpftool), new ProcessRunner());
        using (var datapath = await KernelDatapath
            .OpenAsync(place, bpftool, loggers.CreateLogger<KernelDatapath>(), stopping).ConfigureAwait(false))
        {
            ulong netns = datapath.Maps.Settings.Get<Datapath.Contract.SettingsValue>(0).NodeNetns;
            new NodeSettings(datapath.Maps.Settings).Mend(options.Flows, netns);
            var sync = DatapathSync.Restore(datapath.Maps, SyncOptions(options), TimeProvider.System);
            sync.Apply(desired, complete: true);
        }

        return await FindAsync(audit, options, loggers, stopping).ConfigureAwait(false);
    }

    // Where programs are now, unless another was named.
    private static string? CgroupOf(string? bpffs) => StatusView.Read(bpffs).Cgroups is [{ Path: { } path }] ? path : null;

    private static async Task<IReadOnlyList<Divergence>> FindAsync(
        DatapathAudit audit, AgentOptions options, ILoggerFactory loggers, CancellationToken stopping)
    {
        var desired = await DesireAsync(audit, options, loggers, stopping).ConfigureAwait(false);
        return audit.Find(desired, SyncOptions(options), options.Devices, options.Flows);
    }

    private static DatapathSyncOptions SyncOptions(AgentOptions options) => new() { Maglev = options.Maglev };

    private static async Task<DesiredChanges> DesireAsync(
        DatapathAudit audit, AgentOptions options, ILoggerFactory loggers, CancellationToken stopping)
    {
        var (delta, server) = await ListAsync(options, loggers, stopping).ConfigureAwait(false);
        var desired = new DesiredState(new DesiredStateOptions
        {
            NodeName = options.NodeName,
            Maglev = options.Maglev,
            DefaultAlgorithm = options.DefaultAlgorithm,
            AllowNodeExternalIPs = options.AllowNodeExternalIPs,
            ApiServers = server is { } address ? [address] : [],
        })
        {
            NodeFacts = new NodeFacts(audit.SourceAddresses.ToEquatableArray(), PodCidrs: default),
        };
        foreach (var (key, backends) in audit.ProgrammedBackends(DesiredState.ApiService))
            desired.Recall(key, backends);
        return desired.Update(delta.State, delta.Dirty);
    }

    private static async Task<(ClusterDelta Delta, ApiServerEndpoint? Server)> ListAsync(AgentOptions options, ILoggerFactory loggers, CancellationToken stopping)
    {
        var time = TimeProvider.System;
        var state = new ClusterStateWriter();
        using var source = ClusterSource.Open(options, state, loggers);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        Task[] parts = [.. source.Parts.Select(part => Task.Run(() => part.Run(stop.Token), stop.Token))];
        try
        {
            long start = time.GetTimestamp();
            while (!state.IsComplete)
            {
                if (parts.FirstOrDefault(part => part.IsCompleted) is { } ended)
                    await ended.ConfigureAwait(false);
                if (time.GetElapsedTime(start) > ListTimeout)
                {
                    throw new DatapathException(
                        $"{source.Description} has not told all it has within {ListTimeout.TotalSeconds:F0} seconds"
                        + string.Concat(source.Problems.Select(problem => $"; {problem.Subject}: {problem.Message}")));
                }

                await Task.Delay(TimeSpan.FromMilliseconds(20), stopping).ConfigureAwait(false);
            }

            return (state.Take(), source.ApiServer);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(parts).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}

/// <param name="Divergences">What differs, and after a repair what still does.</param>
/// <param name="Repaired">What differed before.</param>
/// <param name="IsAgentRunning">Somebody holds the lock.</param>
public sealed record AuditFindings(IReadOnlyList<Divergence> Divergences, IReadOnlyList<Divergence> Repaired, bool IsAgentRunning);
