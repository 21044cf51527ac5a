// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using System.Globalization;
using EbpfLb.Bench.Measuring;
using EbpfLb.Bench.Processes;
using EbpfLb.Bench.Workload;

namespace EbpfLb.Bench;

/// <summary>The agent as it ships, with a cluster of size, seen from outside.</summary>
/// <param name="perFile">Services in one manifest. With more than one, a change makes the agent parse all of them again.</param>
internal sealed class AgentAtSize(BenchOptions options, Report report, int perFile)
{
    private const double MostLoadMs = 2000;
    private const double MostFlipMs = 10;
    private const double MostResidentMB = 150;
    private const int MostEntriesOfChange = 3;
    private const int ChangesOfLargeFiles = 20;

    // Long enough to be quiet again, no multiple of any interval.
    private static readonly TimeSpan BetweenChanges = TimeSpan.FromMilliseconds(23);

    private readonly Random _random = new(1);
    private int _generation;

    private string Part => string.Create(CultureInfo.InvariantCulture,
        $"agent process, {options.Services:#,##0} services x {options.Endpoints} endpoints, {Shape}");

    private string Shape => IsFilePerService ? "a file each" : $"{perFile} to a file";

    private bool IsFilePerService => perFile == 1;

    public void Run(CancellationToken stopping)
    {
        using var sandbox = Sandbox.Create();
        using var files = ManifestFiles.Write(new Cluster(options.Services, options.Endpoints), perFile);
        string bpffs = sandbox.NewBpfFs("size");
        using (var agent = new AgentProcess(options.Agent, sandbox, bpffs, ["--manifests", files.Directory]))
        {
            var first = agent.WaitForFirstSync(stopping);
            Add("first sync", first.Milliseconds, "ms", "objects to empty maps, as the agent says", Bar.Most(MostLoadMs));
            Add("exec to first sync", SinceStart(agent, first), "ms", "start, parsing and programming");
            TellMemory(agent.Id, stopping);
            TimeChanges(agent, files, bpffs, stopping);
        }

        // What a restart does depends on the objects and the maps, not on how the objects came.
        if (IsFilePerService)
            CountWritesOfRestart(sandbox, bpffs, files, stopping);
    }

    private static double SinceStart(AgentProcess agent, AgentProcess.Sync sync) =>
        Stopwatch.GetElapsedTime(agent.StartedAt, sync.At).TotalMilliseconds;

    private static string Describe(IReadOnlyDictionary<string, int> calls) =>
        string.Join(", ", calls.Select(call => $"{call.Value} {call.Key}"));

    private void TellMemory(int pid, CancellationToken stopping)
    {
        double before = ProcessFacts.ProcessorMilliseconds(pid);
        if (stopping.WaitHandle.WaitOne(TimeSpan.FromSeconds(options.SettleSeconds)))
            stopping.ThrowIfCancellationRequested();

        string when = $"{options.SettleSeconds} s after the first sync";
        Add("processor time while idle", ProcessFacts.ProcessorMilliseconds(pid) - before, "ms", $"user and system, until {when}");
        Add("RSS", ProcessFacts.ResidentMB(pid), "MB", $"VmRSS {when}", Bar.Most(MostResidentMB));
        Add("PSS", ProcessFacts.ProportionalMB(pid), "MB", $"smaps_rollup {when}");
        Add("anonymous memory", ProcessFacts.AnonymousMB(pid), "MB", $"smaps_rollup {when}");
        Add("peak RSS", ProcessFacts.PeakResidentMB(pid), "MB", "VmHWM: while it parsed");
        Add("maps", ProcessFacts.MapMB(pid), "MB", "memlock of their fdinfo: the kernel's memory, in nobody's RSS");
    }

    private void TimeChanges(AgentProcess agent, ManifestFiles files, string bpffs, CancellationToken stopping)
    {
        using var watch = new FlipWatch(AgentProcess.PinDirectory(bpffs));
        if (watch.Count != options.Services)
            throw new BenchException($"the maps hold {watch.Count} services, not {options.Services}");

        int changes = IsFilePerService ? options.Changes : Math.Min(options.Changes, ChangesOfLargeFiles);
        var milliseconds = new List<double>();
        var waits = new List<double>();
        agent.TakeSyncs();
        double processorBefore = ProcessFacts.ProcessorMilliseconds(agent.Id);
        for (int i = 0; i < changes; i++)
        {
            stopping.ThrowIfCancellationRequested();
            double waitedBefore = ProcessFacts.WaitedForProcessorMilliseconds(agent.Id);
            milliseconds.Add(ChangeOne(files, watch));
            waits.Add(Math.Max(0, ProcessFacts.WaitedForProcessorMilliseconds(agent.Id) - waitedBefore));
            Thread.Sleep(BetweenChanges);
        }

        double processor = (ProcessFacts.ProcessorMilliseconds(agent.Id) - processorBefore) / changes;
        report.Add(Measurement.Tail(Part, "one endpoint changed", new Sample(milliseconds), "ms",
            "rename(2) of its manifest to the entry of services_v1, read by another process"
            + (IsFilePerService ? "" : "; the whole file is parsed"),
            IsFilePerService ? Bar.Most(MostFlipMs) : null));
        report.Add(Measurement.Tail(Part, "  of that, without a processor", new Sample(waits), "ms",
            "schedstat of the agent's threads, added up: others had the processors"));
        Add("one endpoint changed, processor time", processor, "ms", "user and system time of the agent, mean");

        if (IsFilePerService)
            CountWritesOfChange(agent, files, watch);
    }

    private void CountWritesOfChange(AgentProcess agent, ManifestFiles files, FlipWatch watch)
    {
        var syncs = agent.TakeSyncs();
        report.Add(Measurement.Worst(Part, "one endpoint changed, entries", new Sample(syncs.Select(sync => (double)sync.MapWrites)), "",
            "as the agent logs them: backend in, service flipped, backend out", Bar.Most(MostEntriesOfChange)));
        if (!SystemCalls.IsAvailable)
            return;

        var calls = SystemCalls.During(agent.Id, () => ChangeOne(files, watch));
        Add("one endpoint changed, bpf(2) calls", calls.Values.Sum(), "", $"strace: {Describe(calls)}", Bar.Most(MostEntriesOfChange));
    }

    private double ChangeOne(ManifestFiles files, FlipWatch watch)
    {
        // A new version of a large file has one change only: always the same service, so that no other one in it changes back.
        int service = IsFilePerService ? _random.Next(options.Services) : 0;
        var staged = files.StageChange(service, ++_generation);
        return watch.Time(watch.IdOf(service), () => staged.MoveInto(files.Directory));
    }

    private void CountWritesOfRestart(Sandbox sandbox, string bpffs, ManifestFiles files, CancellationToken stopping)
    {
        using (var agent = new AgentProcess(options.Agent, sandbox, bpffs, ["--manifests", files.Directory]))
        {
            var first = agent.WaitForFirstSync(stopping);
            Add("restart, entries written", first.MapWrites, "", "as the agent logs them", Bar.Most(0));
            Add("restart, exec to first sync", SinceStart(agent, first), "ms", "start, parsing, maps read back, nothing to do");
        }

        if (!SystemCalls.IsAvailable)
            return;

        string file = Path.GetTempFileName();
        try
        {
            // -D: strace stands aside, and the agent is the process that was started.
            using (var agent = new AgentProcess(
                options.Agent, sandbox, bpffs, ["--manifests", files.Directory], "strace", "-D", "-f", "-e", "trace=bpf", "-o", file))
                agent.WaitForFirstSync(stopping);

            var calls = SystemCalls.Count(file);
            int writes = calls.Where(call => SystemCalls.Writes(call.Key)).Sum(call => call.Value);
            Add("restart, bpf(2) calls that write entries", writes, "", $"strace of the whole start: {Describe(calls)}", Bar.Most(0));
        }
        finally
        {
            File.Delete(file);
        }
    }

    private void Add(string name, double value, string unit, string method, Bar? bar = null) =>
        report.Add(new Measurement(Part, name, value, unit, method, bar));
}
