// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using EbpfLb.Bench.Workload;

namespace EbpfLb.Bench.Processes;

/// <summary>A server in one pod and clients in another.</summary>
internal sealed class Traffic(Sandbox sandbox) : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    private readonly FollowedProcess _server = new(
        BenchOptions.Probe, "serve", "--name", "server", "--fast", "--tcp", Text(Cluster.TargetPort),
        "--cgroup", sandbox.SecondCgroup, "--netns", sandbox.ServerNamespace);

    /// <summary>Both series of one process that takes turns between two addresses.</summary>
    public readonly record struct Pair(Series First, Series Second);

    public readonly record struct Series(double PerSecond, double ConnectP50Us, double WholeP50Us);

    public void WaitForServer(CancellationToken stopping) =>
        _server.WaitForLine(line => line.Contains("ready", StringComparison.Ordinal), Deadline, stopping);

    /// <summary>A connection to each in turn, for some seconds.</summary>
    public Pair Compare(string cgroup, (string Address, int Port) first, (string Address, int Port) second, int seconds)
    {
        using var result = Bench(cgroup, first, seconds, "--direct", second.Address, "--direct-port", Text(second.Port));
        return new Pair(Read(result.RootElement), Read(result.RootElement.GetProperty("direct")));
    }

    public Series Measure(string cgroup, (string Address, int Port) target, int seconds)
    {
        using var result = Bench(cgroup, target, seconds);
        return Read(result.RootElement);
    }

    public void Dispose() => _server.Dispose();

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static Series Read(JsonElement series)
    {
        if (series.GetProperty("failed").GetInt64() is > 0 and var failed)
            throw new BenchException($"{failed} connections failed: {series.GetProperty("failures")}");
        return new Series(series.GetProperty("per_second").GetDouble(), Median("connect_us"), Median("whole_us"));

        double Median(string what) => series.GetProperty(what).GetProperty("p50").GetDouble();
    }

    private JsonDocument Bench(string cgroup, (string Address, int Port) target, int seconds, params IEnumerable<string> more)
    {
        using var process = Process.Start(new ProcessStartInfo(BenchOptions.Probe,
        [
            "bench", target.Address, Text(target.Port), "--seconds", Text(seconds), "--cgroup", cgroup,
            "--netns", sandbox.ClientNamespace, .. more,
        ])
        {
            RedirectStandardOutput = true,
        })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? JsonDocument.Parse(output)
            : throw new BenchException($"lbprobe bench ended with {process.ExitCode}");
    }
}
