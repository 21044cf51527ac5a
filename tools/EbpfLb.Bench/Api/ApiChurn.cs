// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Bench.Measuring;
using EbpfLb.Bench.Processes;

namespace EbpfLb.Bench.Api;

/// <summary>A hundred slices change in a second, on and on: latency, processor time, and memory that must not grow.</summary>
internal sealed class ApiChurn(BenchOptions options, Report report)
{
    private const int PerSecond = 100;
    private const double MostLatencyMs = 50;
    private const double MostProcessorPercent = 10;
    private const double MostResidentMB = 200;
    private const double MostGrowthPercent = 5;

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    public async Task RunAsync(CancellationToken stopping)
    {
        string part = string.Create(CultureInfo.InvariantCulture,
            $"API server, {options.Services:#,##0} x {options.Endpoints} endpoints, {PerSecond} slices/s for {options.ChurnSeconds} s");
        using var sandbox = Sandbox.Create();
        using var api = FakeApiProcess.Start(sandbox, options.Services, options.Endpoints, stopping);
        string place = sandbox.NewBpfFs("churn");
        string directory = AgentProcess.PinDirectory(place);
        using var agent = new AgentProcess(options.Agent, sandbox, place, ApiCost.Arguments(api));
        Convergence.Wait(agent, directory, options.Services, options.Endpoints, Deadline, stopping);
        using var watch = new EntryWatch(directory, Look);

        using var done = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var memory = FollowMemoryAsync(agent.Id, done.Token);
        double processorBefore = ProcessFacts.ProcessorMilliseconds(agent.Id);
        double[] milliseconds = await new SliceChanges(api, watch, options.Services)
            .RunAsync(PerSecond * options.ChurnSeconds, TimeSpan.FromSeconds(1.0 / PerSecond), stopping);
        double processor = ProcessFacts.ProcessorMilliseconds(agent.Id) - processorBefore;
        await done.CancelAsync();

        report.Add(Measurement.Tail(part, "one slice changed", new Sample(milliseconds), "ms",
            "the server's write to the entry of services_v1, looked at each 1.1 ms", Bar.Most(MostLatencyMs)));
        Add("processor time", processor / (options.ChurnSeconds * 10), "%", "of one processor: user and system time of the agent",
            Bar.Most(MostProcessorPercent));
        double[] resident = await memory;
        Add("RSS, most", resident.Max(), "MB", "VmRSS each second", Bar.Most(MostResidentMB));
        int window = (int)Math.Min(Longest.TotalSeconds, Math.Max(1, resident.Length / 4));
        int middle = (resident.Length - window) / 2;
        double between = resident[middle..(middle + window)].Average();
        double last = resident[^window..].Average();
        Add("RSS, growth", last - resident[..window].Average(), "MB",
            $"mean of the last {window} s less that of the first: the collector's budgets fill up after the first run gave all back");
        // Until every service has changed once, objects that lived since the list give way to new ones.
        bool isSettled = (long)middle * PerSecond >= options.Services;
        Add("RSS, growth in the second half", (last - between) / between * 100, "%",
            $"mean of the last {window} s over that of the middle; a bar for runs of which half changes every service",
            isSettled ? Bar.Most(MostGrowthPercent) : null);
        Add("peak RSS", ProcessFacts.PeakResidentMB(agent.Id), "MB", "VmHWM: while it listed");

        void Add(string name, double value, string unit, string method, Bar? bar = null) =>
            report.Add(new Measurement(part, name, value, unit, method, bar));
    }

    private static async Task<double[]> FollowMemoryAsync(int pid, CancellationToken done)
    {
        var resident = new List<double>();
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        try
        {
            while (await timer.WaitForNextTickAsync(done))
                resident.Add(ProcessFacts.ResidentMB(pid));
        }
        catch (OperationCanceledException)
        {
            // The regular end.
        }

        return [.. resident];
    }
}
