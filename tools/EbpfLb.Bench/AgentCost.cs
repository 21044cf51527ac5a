// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using System.Globalization;
using EbpfLb.Bench.Measuring;
using EbpfLb.Bench.Processes;
using EbpfLb.Bench.Workload;

namespace EbpfLb.Bench;

/// <summary>The agent as it ships, seen from outside.</summary>
internal sealed class AgentCost(BenchOptions options, Report report)
{
    private const double MostStartMs = 1000;
    private const double MostLoadMs = 2000;
    private const double MostFlipMs = 10;
    private const double MostResidentMiB = 150;
    private const int Starts = 5;
    private const int ChangesOfLargeFiles = 20;
    private const int FilesOfManyServices = 10;

    // Long enough to be quiet again, no multiple of any interval.
    private static readonly TimeSpan BetweenChanges = TimeSpan.FromMilliseconds(23);

    public void RunAtSize(CancellationToken stopping) => Run(perFile: 1, options.Changes, stopping);

    public void RunWithLargeFiles(CancellationToken stopping) =>
        Run((options.Services + FilesOfManyServices - 1) / FilesOfManyServices, Math.Min(options.Changes, ChangesOfLargeFiles), stopping);

    public void RunStarts(CancellationToken stopping)
    {
        const string Method = "exec to 'Datapath ready', no manifests";
        string part = $"start of {options.Agent}";
        using var sandbox = Sandbox.Create();
        using var files = ManifestFiles.Write(new Cluster(0, 0), perFile: 1);

        var first = new List<double>();
        for (int i = 0; i < Starts; i++)
            first.Add(TimeStart(sandbox, sandbox.NewBpfFs($"start{i}"), files, stopping));
        Add("first start", new Sample(first), $"{Method}, no pins: maps created, programs loaded and attached");

        var again = new List<double>();
        for (int i = 0; i < Starts; i++)
            again.Add(TimeStart(sandbox, Path.Combine(Path.GetDirectoryName(sandbox.NewBpfFs("start0"))!, "start0"), files, stopping));
        Add("restart", new Sample(again), $"{Method}, everything pinned already");

        void Add(string name, Sample sample, string method) => report.Add(
            new Measurement(part, name, sample.Median, "ms", method, sample.Range, Bar.Most(MostStartMs)));
    }

    private double TimeStart(Sandbox sandbox, string bpffs, ManifestFiles files, CancellationToken stopping)
    {
        using var agent = new AgentProcess(options.Agent, sandbox, bpffs, files.Directory);
        long ready = agent.WaitForDatapath(stopping);
        return Stopwatch.GetElapsedTime(agent.StartedAt, ready).TotalMilliseconds;
    }

    private void Run(int perFile, int changes, CancellationToken stopping)
    {
        using var sandbox = Sandbox.Create();
        using var files = ManifestFiles.Write(new Cluster(options.Services, options.Endpoints), perFile);
        string part = string.Create(CultureInfo.InvariantCulture,
            $"agent process, {options.Services:#,##0} services x {options.Endpoints} endpoints in {files.FileCount:#,##0} files");
        string bpffs = sandbox.NewBpfFs("size");

        using (var agent = new AgentProcess(options.Agent, sandbox, bpffs, files.Directory))
        {
            var first = agent.WaitForFirstSync(stopping);
            double sinceExec = Stopwatch.GetElapsedTime(agent.StartedAt, first.At).TotalMilliseconds;
            Add("first sync", first.Milliseconds, "ms", "objects to empty maps, as the agent says", Bar.Most(MostLoadMs));
            Add("exec to first sync", sinceExec, "ms", "start, parsing and programming");
            TellMemory(agent.Id, Add, stopping);
            TimeChanges(agent, files, bpffs, changes, perFile, Add, stopping);
        }

        if (perFile == 1)
            CountWritesOfRestart(sandbox, bpffs, files, Add, stopping);

        void Add(string name, double value, string unit, string method, Bar? bar = null, string? spread = null) =>
            report.Add(new Measurement(part, name, value, unit, method, spread, bar));
    }

    private delegate void Adder(string name, double value, string unit, string method, Bar? bar = null, string? spread = null);

    private void TellMemory(int pid, Adder add, CancellationToken stopping)
    {
        double before = ProcessFacts.ProcessorMilliseconds(pid);
        if (stopping.WaitHandle.WaitOne(TimeSpan.FromSeconds(options.SettleSeconds)))
            stopping.ThrowIfCancellationRequested();

        string when = $"{options.SettleSeconds} s after the first sync";
        add("RSS", ProcessFacts.ResidentMiB(pid), "MiB", $"VmRSS {when}", Bar.Most(MostResidentMiB));
        add("PSS", ProcessFacts.ProportionalMiB(pid), "MiB", $"smaps_rollup {when}");
        add("anonymous memory", ProcessFacts.AnonymousMiB(pid), "MiB", $"smaps_rollup {when}");
        add("peak RSS", ProcessFacts.PeakResidentMiB(pid), "MiB", "VmHWM: while it parsed");
        add("maps", ProcessFacts.MapMiB(pid), "MiB", "memlock of their fdinfo; the kernel's, in nobody's RSS");
        add("processor time while idle", ProcessFacts.ProcessorMilliseconds(pid) - before, "ms", $"in those {options.SettleSeconds} s");
    }

    private void TimeChanges(AgentProcess agent, ManifestFiles files, string bpffs, int changes, int perFile, Adder add, CancellationToken stopping)
    {
        using var watch = new FlipWatch(AgentProcess.PinDirectory(bpffs));
        if (watch.Count != options.Services)
            throw new BenchException($"the maps hold {watch.Count} services, not {options.Services}");

        bool single = perFile == 1;
        var random = new Random(1);
        var milliseconds = new List<double>();
        var waits = new List<double>();
        int generation = 0;
        agent.TakeSyncs();
        for (int i = 0; i < changes; i++)
        {
            stopping.ThrowIfCancellationRequested();
            double waitedBefore = ProcessFacts.WaitedForProcessorMilliseconds(agent.Id);
            milliseconds.Add(ChangeOne());
            waits.Add(Math.Max(0, ProcessFacts.WaitedForProcessorMilliseconds(agent.Id) - waitedBefore));
            Thread.Sleep(BetweenChanges);
        }

        var sample = new Sample(milliseconds);
        add("one endpoint changed, p99", sample.Percentile(0.99), "ms", single
            ? "rename(2) of its manifest to the entry in services_v1, seen by another process"
            : "the same; the whole file is parsed for it", single ? Bar.Most(MostFlipMs) : null, sample.Tail);
        var waited = new Sample(waits);
        add("  the agent waited for a processor, p99", waited.Percentile(0.99), "ms",
            "schedstat of its threads in the same times: not the agent's doing, but other processes'", null, waited.Tail);

        Thread.Sleep(BetweenChanges);
        var syncs = agent.TakeSyncs();
        if (single && syncs.Count > 0)
        {
            var writes = new Sample(syncs.Select(sync => (double)sync.MapWrites));
            add("one endpoint changed, entries", writes.Max, "", "as the agent logs them: backend in, service flipped, backend out",
                Bar.Most(3), writes.Range);
        }

        if (single && SystemCalls.IsAvailable)
        {
            var calls = SystemCalls.During(agent.Id, () => ChangeOne());
            add("one endpoint changed, bpf(2) calls", calls.Values.Sum(), "", $"strace: {Describe(calls)}");
        }

        double ChangeOne()
        {
            // A large file holds only one change at a time: always the same service, so that nothing else in it flips back.
            int service = single ? random.Next(options.Services) : 0;
            var staged = files.StageChange(service, ++generation);
            return watch.Time(watch.IdOf(service), () => staged.MoveInto(files.Directory));
        }
    }

    private void CountWritesOfRestart(Sandbox sandbox, string bpffs, ManifestFiles files, Adder add, CancellationToken stopping)
    {
        using (var agent = new AgentProcess(options.Agent, sandbox, bpffs, files.Directory))
        {
            var first = agent.WaitForFirstSync(stopping);
            add("restart, entries written", first.MapWrites, "", "as the agent logs them", Bar.Most(0));
            add("restart, exec to first sync", Stopwatch.GetElapsedTime(agent.StartedAt, first.At).TotalMilliseconds, "ms",
                "start, parsing, maps read back, nothing to do");
        }

        if (!SystemCalls.IsAvailable)
            return;

        string file = Path.GetTempFileName();
        try
        {
            // -D: strace stands aside, and the agent is the process that was started.
            using (var agent = new AgentProcess(
                options.Agent, sandbox, bpffs, files.Directory, "strace", "-D", "-f", "-e", "trace=bpf", "-o", file))
                agent.WaitForFirstSync(stopping);

            var calls = SystemCalls.Count(file);
            int writes = calls.Where(call => call.Key.Contains("UPDATE_ELEM", StringComparison.Ordinal)
                || call.Key.Contains("DELETE_ELEM", StringComparison.Ordinal)).Sum(call => call.Value);
            add("restart, bpf(2) calls that write entries", writes, "", $"strace of the whole start: {Describe(calls)}", Bar.Most(0));
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static string Describe(IReadOnlyDictionary<string, int> calls) =>
        string.Join(", ", calls.Select(call => $"{call.Value} {call.Key}"));
}
