// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using EbpfLb.Bench.Measuring;
using EbpfLb.Bench.Processes;
using EbpfLb.Bench.Workload;

namespace EbpfLb.Bench;

/// <summary>How long the agent takes from exec to a datapath in place, when there is nothing to program.</summary>
internal sealed class AgentStart(BenchOptions options, Report report)
{
    private const double MostMs = 1000;
    private const int Starts = 5;
    private const string Method = "exec to 'Datapath ready', no manifests";

    public void Run(CancellationToken stopping)
    {
        using var sandbox = Sandbox.Create();
        using var files = ManifestFiles.Write(new Cluster(0, 0), perFile: 1);
        string[] bpffs = [.. Enumerable.Range(0, Starts).Select(i => sandbox.NewBpfFs($"start{i}"))];

        Add("first start", bpffs, $"{Method}, no pins: maps created, programs loaded and attached");
        Add("restart", bpffs, $"{Method}, everything pinned already");

        void Add(string name, IEnumerable<string> places, string method) => report.Add(Measurement.Median(
            "agent process, nothing to program", name, new Sample(places.Select(place => Time(sandbox, place, files, stopping))), "ms",
            method, Bar.Most(MostMs)));
    }

    private double Time(Sandbox sandbox, string bpffs, ManifestFiles files, CancellationToken stopping)
    {
        using var agent = new AgentProcess(options.Agent, sandbox, bpffs, ["--manifests", files.Directory]);
        long ready = agent.WaitForDatapath(stopping);
        return Stopwatch.GetElapsedTime(agent.StartedAt, ready).TotalMilliseconds;
    }
}
