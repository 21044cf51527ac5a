// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using System.Globalization;
using EbpfLb.Bench.Measuring;
using EbpfLb.Bench.Processes;

namespace EbpfLb.Bench.Api;

/// <summary>The agent as it ships follows an API server: from its start, one change, and all of them at once.</summary>
internal sealed class ApiCost(BenchOptions options, Report report)
{
    private const double MostStartMs = 3000;
    private const double MostSmallStartMs = 1000;
    private const double MostChangeMs = 20;
    private const double MostStormMs = 10_000;
    private const int SmallServices = 1000;
    private const string StartMethod = "exec to the end of the run that programmed the last (agent_v1), TLS, maps counted";

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan StormTime = TimeSpan.FromSeconds(1);

    // Long enough to be quiet again, no multiple of any interval.
    private static readonly TimeSpan BetweenChanges = TimeSpan.FromMilliseconds(53);

    public async Task RunAsync(CancellationToken stopping)
    {
        StartSmall(stopping);
        using var sandbox = Sandbox.Create();
        using var api = FakeApiProcess.Start(sandbox, options.Services, options.Endpoints, stopping);
        string part = Part(options.Services);
        string[] places = Places(sandbox);
        Measure(part, "exec to all programmed", places, place => TimeStart(sandbox, api, place, options.Services, stopping), MostStartMs);

        var writes = new List<double>();
        Measure(part, "restart, exec to nothing left to do", places, place => TimeRestart(sandbox, api, place, writes, stopping), null);
        report.Add(Measurement.Worst(part, "restart, entries written", new Sample(writes), "", "as the agent logs them", Bar.Most(0)));

        using var agent = new AgentProcess(options.Agent, sandbox, places[0], Arguments(api));
        string directory = AgentProcess.PinDirectory(places[0]);
        Convergence.Wait(agent, directory, options.Services, options.Endpoints, Deadline, stopping);
        await ChangeSlicesAsync(part, agent, directory, api, stopping);
        await ChangeAllAsync(part, agent, directory, api, stopping);
    }

    public static string[] Arguments(FakeApiProcess api) => ["--kubeconfig", api.Kubeconfig, "--devices", "none"];

    private string Part(int services) => string.Create(CultureInfo.InvariantCulture,
        $"API server, {services:#,##0} services x {options.Endpoints} endpoints");

    private string[] Places(Sandbox sandbox) => [.. Enumerable.Range(0, options.ApiRuns).Select(run => sandbox.NewBpfFs($"api{run}"))];

    private void StartSmall(CancellationToken stopping)
    {
        using var sandbox = Sandbox.Create();
        using var api = FakeApiProcess.Start(sandbox, SmallServices, options.Endpoints, stopping);
        Measure(Part(SmallServices), "exec to all programmed", Places(sandbox),
            place => TimeStart(sandbox, api, place, SmallServices, stopping), MostSmallStartMs);
    }

    private void Measure(string part, string name, string[] places, Func<string, double> time, double? most) =>
        report.Add(Measurement.Median(
            part, name, new Sample(places.Select(time)), "ms", StartMethod, most is { } limit ? Bar.Most(limit) : null));

    private double TimeStart(Sandbox sandbox, FakeApiProcess api, string place, int services, CancellationToken stopping)
    {
        using var agent = new AgentProcess(options.Agent, sandbox, place, Arguments(api));
        return Programmed(agent, place, services, stopping);
    }

    private double TimeRestart(Sandbox sandbox, FakeApiProcess api, string place, List<double> writes, CancellationToken stopping)
    {
        using var agent = new AgentProcess(options.Agent, sandbox, place, Arguments(api));
        double milliseconds = Programmed(agent, place, options.Services, stopping);
        writes.Add(agent.WaitForFirstSync(stopping).MapWrites);
        return milliseconds;
    }

    private double Programmed(AgentProcess agent, string place, int services, CancellationToken stopping)
    {
        long at = Convergence.Wait(agent, AgentProcess.PinDirectory(place), services, options.Endpoints, Deadline, stopping);
        return Stopwatch.GetElapsedTime(agent.StartedAt, at).TotalMilliseconds;
    }

    private async Task ChangeSlicesAsync(string part, AgentProcess agent, string directory, FakeApiProcess api, CancellationToken stopping)
    {
        using var watch = new EntryWatch(directory, pause: null);
        var changes = new SliceChanges(api, watch, options.Services);
        double before = ProcessFacts.ProcessorMilliseconds(agent.Id);
        double[] milliseconds = await changes.RunAsync(options.ApiChanges, BetweenChanges, stopping);
        double processor = (ProcessFacts.ProcessorMilliseconds(agent.Id) - before) / milliseconds.Length;
        report.Add(Measurement.Tail(part, "one slice changed", new Sample(milliseconds), "ms",
            "the server's write to the entry of services_v1, read by another process without pause", Bar.Most(MostChangeMs)));
        report.Add(new Measurement(part, "one slice changed, processor time", processor, "ms", "user and system time of the agent, mean"));
    }

    private async Task ChangeAllAsync(string part, AgentProcess agent, string directory, FakeApiProcess api, CancellationToken stopping)
    {
        using var watch = new EntryWatch(directory, pause: null);
        var before = watch.ReadAll();
        int requests = await api.RequestsForSlicesAsync(stopping);
        double processor = ProcessFacts.ProcessorMilliseconds(agent.Id);
        var sent = api.ChangeAllAsync(move: false, StormTime, stopping);
        long seen = 0;
        long start = Stopwatch.GetTimestamp();
        while (seen == 0)
        {
            if (Stopwatch.GetElapsedTime(start) > Deadline)
                throw new BenchException($"not every service had changed {Deadline.TotalSeconds} s after its slice");

            await Task.Delay(20, stopping);
            var now = watch.ReadAll();
            if (before.All(entry => now.TryGetValue(entry.Key, out var value) && value != entry.Value))
                seen = Stopwatch.GetTimestamp();
        }

        var (firstAt, lastAt) = await sent;
        double took = Stopwatch.GetElapsedTime(firstAt, lastAt).TotalMilliseconds;
        Add("every slice changed", Stopwatch.GetElapsedTime(firstAt, seen).TotalMilliseconds, "ms",
            string.Create(CultureInfo.InvariantCulture, $"first change to the last entry, looked at each 20 ms; sent in {took:F0} ms"),
            Bar.Most(MostStormMs));
        Add("every slice changed, after the last write", Stopwatch.GetElapsedTime(lastAt, seen).TotalMilliseconds, "ms", "the same");
        Add("every slice changed, processor time", ProcessFacts.ProcessorMilliseconds(agent.Id) - processor, "ms",
            "user and system time of the agent");
        Add("every slice changed, watches begun anew", await api.RequestsForSlicesAsync(stopping) - requests, "",
            "requests for slices that the server had meanwhile", Bar.Most(0));

        void Add(string name, double value, string unit, string method, Bar? bar = null) =>
            report.Add(new Measurement(part, name, value, unit, method, bar));
    }
}
