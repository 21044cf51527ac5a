// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;
using EbpfLb.Bench.Measuring;
using EbpfLb.Bench.Processes;
using EbpfLb.Bench.Workload;
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Sync;
using EbpfLb.Kubernetes.Manifests;
using EbpfLb.Linux.Processes;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;
using Microsoft.Extensions.Logging.Abstractions;
using KernelDatapath = EbpfLb.Datapath.Loading.Datapath;

namespace EbpfLb.Bench;

/// <summary>The stages from manifest files to the maps of the kernel, one after the other in this process, each with its time.</summary>
internal sealed class SyncCost(BenchOptions options, Report report)
{
    // The source remembers what every file gave: it belongs to what a node pays for.
    private sealed record Parsed(ManifestDirectory Source, ClusterStateWriter State, double Milliseconds);

    private const double MostLoadMs = 2000;
    private const double MostFlipMs = 10;
    private const int MostEntriesOfChange = 3;

    private readonly Cluster _cluster = new(options.Services, options.Endpoints);

    private string Part => string.Create(CultureInfo.InvariantCulture,
        $"stages in one process, {options.Services:#,##0} services x {options.Endpoints} endpoints");

    public async Task RunAsync(CancellationToken stopping)
    {
        using (var files = ManifestFiles.Write(_cluster, options.ServicesOfLargeFile))
        {
            // The first pass also warms up the code, so that the order of the two is not what is measured.
            await ParseAsync(files, stopping);
            double parse = (await ParseAsync(files, stopping)).Milliseconds;
            Add($"parse {files.FileCount} files of {options.ServicesOfLargeFile} services", parse, "ms",
                "read, parse, translate; second time in this process");
        }

        using (var files = ManifestFiles.Write(_cluster, 1))
            await ProgramAsync(files, stopping);
    }

    private static DesiredState NewDesired() => new(new DesiredStateOptions { NodeName = "node-00" });

    private static DatapathSync Restore(KernelDatapath datapath) =>
        DatapathSync.Restore(datapath.Maps, new DatapathSyncOptions(), TimeProvider.System);

    private static async Task<Parsed> ParseAsync(ManifestFiles files, CancellationToken stopping)
    {
        var state = new ClusterStateWriter();
        var silence = Channel.CreateUnbounded<string?>();
        using var done = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var source = new ManifestDirectory(
            files.Directory, state, silence.Reader.ReadAllAsync(stopping), NullLogger<ManifestDirectory>.Instance, TimeProvider.System);

        long start = Stopwatch.GetTimestamp();
        var following = source.RunAsync(done.Token);
        await state.WaitAsync(stopping);
        double milliseconds = Stopwatches.MillisecondsSince(start);

        await done.CancelAsync();
        await following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return source.CurrentProblems is [var problem, ..]
            ? throw new BenchException($"the manifests are not good: {problem.Location} {problem.Description}")
            : new Parsed(source, state, milliseconds);
    }

    private async Task ProgramAsync(ManifestFiles files, CancellationToken stopping)
    {
        using var sandbox = Sandbox.Create();
        string bpffs = sandbox.NewBpfFs("sync");
        var bpftool = new Bpftool(Bpftool.Locate(null), new ProcessRunner());
        using var datapath = await KernelDatapath.OpenAsync(
            new DatapathOptions { BpfFs = bpffs, Cgroup = sandbox.FirstCgroup }, bpftool, NullLogger<KernelDatapath>.Instance, stopping);

        long emptyHeap = GC.GetTotalMemory(forceFullCollection: true);
        var parsed = await ParseAsync(files, stopping);
        var state = parsed.State;
        Add($"parse {files.FileCount} files of 1 service", parsed.Milliseconds, "ms", "read, parse, translate");

        var desired = NewDesired();
        var sync = Restore(datapath);
        ClusterDelta delta = null!;
        DesiredChanges changes = null!;
        double take = Stopwatches.Time(() => delta = state.Take());
        double decide = Stopwatches.Time(() => changes = desired.Update(delta.State, delta.Dirty));
        ApplyReport applied = null!;
        double apply = Stopwatches.Time(() => applied = sync.Apply(changes, delta.IsComplete));
        if (!applied.IsClean || sync.ServicePortCount != options.Services || sync.BackendCount != options.Services * options.Endpoints)
            throw new BenchException($"the maps do not hold the cluster: {sync.ServicePortCount} services, {sync.BackendCount} backends");

        Add("objects to empty maps", take + decide + apply, "ms", "the sum of the next three, right after parsing, cold code",
            Bar.Most(MostLoadMs));
        Add("  state handed over", take, "ms", "ClusterStateWriter.Take");
        Add("  desired state", decide, "ms", "DesiredState.Update");
        Add("  map writes", apply, "ms", "DatapathSync.Apply on pinned kernel maps");
        Add("  entries written", applied.MapWrites, "", "system calls of that; slots are memory writes");
        (changes, delta, applied) = (null!, null!, null!);

        Add("managed heap", (GC.GetTotalMemory(forceFullCollection: true) - emptyHeap) / 1e6, "MB",
            "all of the above, after a full collection");
        GC.KeepAlive(parsed);
        Add("maps", ProcessFacts.MapMB(Environment.ProcessId), "MB", "memlock of their fdinfo");

        TimeChanges(datapath, state, desired, sync);
        CountIdleWrites(datapath, state, desired, sync);
    }

    private void TimeChanges(KernelDatapath datapath, ClusterStateWriter state, DesiredState desired, DatapathSync sync)
    {
        using var watch = new FlipWatch(datapath.PinPath);
        var milliseconds = new List<double>();
        var writes = new List<double>();
        var random = new Random(1);
        for (int i = 0; i < options.Changes; i++)
        {
            int service = random.Next(options.Services);
            var change = ChangeOf(state, service, generation: i + 1);
            long before = sync.MapWrites;
            milliseconds.Add(watch.Time(watch.IdOf(service), () =>
            {
                state.Apply(change);
                var delta = state.Take();
                sync.Apply(desired.Update(delta.State, delta.Dirty), delta.IsComplete);
            }));
            writes.Add(sync.MapWrites - before);
        }

        report.Add(Measurement.Tail(Part, "one endpoint changed", new Sample(milliseconds), "ms",
            "ClusterStateWriter.Apply to the entry read back", Bar.Most(MostFlipMs)));
        report.Add(Measurement.Worst(Part, "one endpoint changed, entries", new Sample(writes), "",
            "backend in, service flipped, backend out", Bar.Most(MostEntriesOfChange)));
    }

    // As a source would hand it in: the slice with another first endpoint, everything else equal but not the same.
    private static ClusterChange ChangeOf(ClusterStateWriter state, int service, int generation)
    {
        var name = new ObjectName(Cluster.Namespace, Cluster.ServiceName(service));
        var slice = state.Take().State.SlicesOf(name)[0];
        var first = slice.Endpoints[0];
        var another = first with { Address = Address.Parse(Cluster.ChangedAddress(generation)) };
        var endpoints = slice.Endpoints.Skip(1).Prepend(another).ToEquatableArray();
        return new ClusterChange { UpsertedSlices = [slice with { Endpoints = endpoints }] };
    }

    private void CountIdleWrites(KernelDatapath datapath, ClusterStateWriter state, DesiredState desired, DatapathSync sync)
    {
        var cluster = state.Take().State;
        long before = sync.MapWrites;
        double again = Stopwatches.Time(() =>
            sync.Apply(new DesiredChanges([.. desired.Services.Values], [], [], []), complete: true));
        Add("every service applied again, writes", sync.MapWrites - before, "", "DatapathSync.Apply of all services", Bar.Most(0));
        Add("every service applied again", again, "ms", "the same");

        DatapathSync restored = null!;
        double restore = Stopwatches.Time(() => restored = Restore(datapath));
        var fresh = NewDesired();
        var report = restored.Apply(fresh.Update(cluster, cluster.ServiceNames), complete: true);
        Add("restart, writes", report.MapWrites, "", "restored from the maps, desired state from scratch", Bar.Most(0));
        Add("restore", restore, "ms", "DatapathSync.Restore: every map read back");
    }

    private void Add(string name, double value, string unit, string method, Bar? bar = null) =>
        report.Add(new Measurement(Part, name, value, unit, method, bar));
}
