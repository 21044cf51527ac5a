// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Audit;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Features;
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Migration;
using EbpfLb.Linux;
using EbpfLb.Linux.Processes;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Datapath.Loading;

/// <summary>
/// The maps and programs of this node, in place. Disposing it gives back descriptors and the lock; the pins stay, and with them everything
/// the kernel does.
/// </summary>
public sealed class Datapath : IDisposable
{
    private readonly PinDirectory _pins;
    private readonly IBpftool _bpftool;
    private readonly ILogger _logger;
    private readonly Action<MigrationStep>? _migrationReached;
    private readonly ReaderWriterLockSlim _replacing = new();
    private bool _isBroken;

    private Datapath(
        PinDirectory pins, KernelFeatures features, KernelMaps maps, string programDirectory, Installation installation, IBpftool bpftool,
        Action<MigrationStep>? migrationReached, ILogger logger)
    {
        _pins = pins;
        Features = features;
        _bpftool = bpftool;
        _migrationReached = migrationReached;
        _logger = logger;
        Maps = maps;
        ProgramDirectory = programDirectory;
        Installation = installation;
    }

    public KernelFeatures Features { get; }

    public KernelMaps Maps { get; }

    /// <summary>Where the programs of this build are pinned; see <see cref="ProgramNames"/>. Another one after maps were resized.</summary>
    public string ProgramDirectory { get; private set; }

    /// <summary>What is pinned, and what holds the socket programs in place.</summary>
    public Installation Installation { get; }

    /// <summary>Where links are pinned.</summary>
    public string LinkDirectory => _pins.Links;

    /// <summary>Where the programs of tc filters are pinned, on kernels without tcx.</summary>
    public string FilterDirectory => _pins.Filters;

    public string PinPath => _pins.Path;

    /// <summary>Takes the lock, creates what is missing, loads the programs of this version and puts them in place.</summary>
    /// <exception cref="DatapathException">It cannot be done here; whatever served before still does.</exception>
    public static async Task<Datapath> OpenAsync(
        DatapathOptions options, IBpftool bpftool, ILogger<Datapath> logger, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(options);
        RequireCapabilities();
        var features = KernelFeatures.Probe(options.WithoutFeatures);
        Log.Features(logger, features.Release, features.Table);
        features.Require();
        var pins = PinDirectory.OpenOrCreate(options.BpfFs);
        KernelMaps? maps = null;
        Installation? installation = null;
        try
        {
            await pins.LockAsync(stopping).ConfigureAwait(false);
            using var cgroup = BpfFileSystems.OpenCgroup(options.Cgroup);
            using var loader = new ObjectLoader(pins, bpftool);
            await new MapSetup(pins, loader, options, logger).EnsureAsync(() => LoadAsync(loader, features, logger, stopping), stopping)
                .ConfigureAwait(false);
            maps = KernelMaps.Open(pins.Path, writable: true);
            // From here on 'status' sees an agent; it must not take the last one's syncs for this one's.
            maps.Agent.At<AgentValue>(0).Syncs = 0;
            await LoadAsync(loader, features, logger, stopping).ConfigureAwait(false);
            var opened = maps;
            installation = new Installation(pins, () => opened.Opened, loader.ProgramDirectory, options.Cgroup);
            var attached = installation.Attach(cgroup);
            RemoveOtherPrograms(loader, logger);
            foreach (string refusal in attached.Refused)
                Log.HookRefused(logger, refusal);
            Log.DatapathReady(logger, pins.Path, cgroup.Path, attached.Created, attached.Updated, attached.Kept);
            return new Datapath(pins, features, maps, loader.ProgramDirectory, installation, bpftool, options.MigrationReached, logger);
        }
        catch (BpftoolException exception)
        {
            installation?.Dispose();
            maps?.Dispose();
            pins.Dispose();
            throw new DatapathException(exception.Message, exception);
        }
        catch
        {
            installation?.Dispose();
            maps?.Dispose();
            pins.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Gives maps other sizes while everything goes on. The caller is the one who writes the maps of services; whoever else uses maps or
    /// programs does so within <see cref="Use"/>.
    /// </summary>
    /// <exception cref="DatapathException">It cannot be done, and everything is as it was.</exception>
    /// <exception cref="LinuxException">It stopped halfway. The next start goes on from there.</exception>
    public async Task<MigrationResult> ResizeAsync(IReadOnlyDictionary<string, uint> sizes, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(sizes);
        using var loader = new ObjectLoader(_pins, _bpftool);
        var migration = new MapMigration(_pins, loader, [], _migrationReached);
        try
        {
            // The entries come from what is pinned.
            Exclusively(Installation.PutBack);
            await migration.PrepareAsync([.. sizes.Keys], sizes, () => LoadAsync(loader, Features, _logger, stopping), stopping).ConfigureAwait(false);
            var result = Exclusively(() => Replace(migration, loader, sizes.Keys));
            RemoveOtherPrograms(loader, _logger);
            return result;
        }
        catch (Exception exception) when (!migration.IsCommitted
            && exception is DatapathException or BpftoolException or LinuxException or IOException or OperationCanceledException)
        {
            migration.Abandon();
            if (exception is DatapathException or OperationCanceledException)
                throw;
            throw new DatapathException(exception.Message, exception);
        }
    }

    /// <summary>Runs an action while no map and no program is replaced.</summary>
    /// <exception cref="DatapathException">Replacing them stopped halfway: only the next start may touch anything.</exception>
    public void Use(Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        _replacing.EnterReadLock();
        try
        {
            RefuseIfBroken();
            action();
        }
        finally
        {
            _replacing.ExitReadLock();
        }
    }

    /// <inheritdoc cref="Use(Action)"/>
    public T Use<T>(Func<T> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        T result = default!;
        Use(() => { result = function(); });
        return result;
    }

    public void Dispose()
    {
        Installation.Dispose();
        Maps.Dispose();
        _pins.Dispose();
        _replacing.Dispose();
    }

    private T Exclusively<T>(Func<T> function)
    {
        _replacing.EnterWriteLock();
        try
        {
            RefuseIfBroken();
            return function();
        }
        finally
        {
            _replacing.ExitWriteLock();
        }
    }

    private MigrationResult Replace(MapMigration migration, ObjectLoader loader, IEnumerable<string> names)
    {
        // The programs may have been loaded over what is no longer, or never was, a map of ours.
        if (Installation.PutBack() is [var found, ..])
        {
            throw new DatapathException(
                $"Somebody changed what the agent had put in place while maps were being replaced ({found}). It was put back, and they stay as they were.");
        }

        var programs = Installation.OpenPrograms(loader.ProgramDirectory);
        try
        {
            var result = migration.Replace();
            Maps.Reopen(names);
            ProgramDirectory = loader.ProgramDirectory;
            Installation.Use(ProgramDirectory, programs);
            return result;
        }
        catch
        {
            // While nobody else is in: pins of maps that were to go must not come back.
            _isBroken = migration.IsCommitted;
            foreach (var program in programs.Values)
                program.Dispose();
            throw;
        }
    }

    private void RefuseIfBroken()
    {
        if (_isBroken)
        {
            throw new DatapathException(
                $"The maps in {PinPath} were being replaced when it failed, so this agent leaves them alone and ends. The next start goes on from there.");
        }
    }

    // Nothing runs them any more, and the next start or growth tries again.
    private static void RemoveOtherPrograms(ObjectLoader loader, ILogger logger)
    {
        try
        {
            loader.RemoveOtherPrograms();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Log.ProgramsLeft(logger, exception.Message);
        }
    }

    private static Task LoadAsync(ObjectLoader loader, KernelFeatures features, ILogger logger, CancellationToken stopping) =>
        loader.EnsureProgramsAsync(
            features.Has(KernelFeature.KernelTypes),
            (one, exception) => Log.ObjectRefused(logger, string.Join(", ", one.Programs), exception.Message), stopping);

    private static void RequireCapabilities()
    {
        var missing = Capabilities.MissingForBpf();
        if (missing.Count > 0)
        {
            throw new DatapathException(
                $"This process lacks {string.Join(", ", missing)}, which loading and attaching BPF programs takes. Run it as root, or give it "
                + "CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON (in a pod: securityContext.capabilities.add).");
        }
    }
}
