// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using System.Globalization;
using EbpfLb.Bench.Measuring;
using EbpfLb.Bench.Processes;

namespace EbpfLb.Bench.Api;

/// <summary>A million endpoints, more than the maps hold by default.</summary>
internal sealed class ApiMillion(BenchOptions options, Report report)
{
    private const int Services = 10_000;
    private const int Endpoints = 100;
    private const double MostMs = 60_000;
    private const double MostResidentMB = 1000;

    // Slots: room for the next version of what changes beside that which serves.
    private static readonly string[] Sizes = ["backends_v1=1100000", "counters_v1=1100000", "slots_v1=2097152"];

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    public void Run(CancellationToken stopping)
    {
        string part = string.Create(CultureInfo.InvariantCulture, $"API server, {Services:#,##0} services x {Endpoints} endpoints");
        using var sandbox = Sandbox.Create();
        using var api = FakeApiProcess.Start(sandbox, Services, Endpoints, stopping);
        string place = sandbox.NewBpfFs("million");
        using var agent = new AgentProcess(
            options.Agent, sandbox, place, [.. ApiCost.Arguments(api), .. Sizes.SelectMany(size => new[] { "--map-size", size })]);
        long at = Convergence.Wait(agent, AgentProcess.PinDirectory(place), Services, Endpoints, Deadline, stopping);

        Add("exec to all programmed", Stopwatch.GetElapsedTime(agent.StartedAt, at).TotalMilliseconds, "ms",
            $"as above, with --map-size {string.Join(", ", Sizes)}", Bar.Most(MostMs));
        if (stopping.WaitHandle.WaitOne(TimeSpan.FromSeconds(options.SettleSeconds)))
            stopping.ThrowIfCancellationRequested();
        Add("peak RSS", ProcessFacts.PeakResidentMB(agent.Id), "MB", "VmHWM", Bar.Most(MostResidentMB));
        Add("RSS", ProcessFacts.ResidentMB(agent.Id), "MB", $"VmRSS {options.SettleSeconds} s after");
        Add("maps", ProcessFacts.MapMB(agent.Id), "MB", "memlock of their fdinfo: the kernel's memory, in nobody's RSS");

        void Add(string name, double value, string unit, string method, Bar? bar = null) =>
            report.Add(new Measurement(part, name, value, unit, method, bar));
    }
}
