// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text.Json;
using EbpfLb.Bench.Comparison.Services;
using EbpfLb.Bench.Packets;
using EbpfLb.Bench.Processes;

namespace EbpfLb.Bench.Comparison.Traffic;

/// <summary>Runs the generator in one playground.</summary>
internal static class LoadGenerator
{
    private const double WarmUpSeconds = 0.1;
    private const int GiveUpSeconds = 120;

    // The clients of a change dial that long before it comes.
    private static readonly TimeSpan Before = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(GiveUpSeconds + 10);

    public static Load Run(TrafficMeasure measure, string mode, ComparedNode node, double seconds, CancellationToken stopping)
    {
        string[] to = [.. measure.Addresses(mode).SelectMany(address => new[] { "--to", address })];
        try
        {
            // Nothing that came back is a result too: its exit status is 1, and its line says why.
            return Load.Parse(Command.RunAnyway(BenchOptions.LoadGenerator,
                [
                    measure.Command, .. to, "--clients", Text(measure.Clients), "--seconds", Text(seconds),
                    "--warm-up", Text(WarmUpSeconds), .. Place(node, measure.From),
                ],
                stopping));
        }
        catch (BenchException exception) when (!stopping.IsCancellationRequested)
        {
            return Load.Nothing(exception.Message);
        }
    }

    /// <summary>Dials the moving service until the backend of that name answers.</summary>
    /// <param name="change">Begins the change, and says when it was handed over: CLOCK_MONOTONIC.</param>
    /// <returns>Milliseconds from then to the first connection on the new backend.</returns>
    public static double TimeToBackend(ComparedNode node, char name, Func<long> change, CancellationToken stopping)
    {
        using var clients = new FollowedProcess(BenchOptions.LoadGenerator,
            [
                "await", "--to", $"{ComparedCluster.MovingClusterIP}:{ComparedCluster.Port}", "--name", $"{name}",
                "--seconds", Text(GiveUpSeconds), .. Place(node, "P12"),
            ]);
        clients.WaitForLine(line => line.Contains("ready", StringComparison.Ordinal), Deadline, stopping);
        Thread.Sleep(Before);
        long handedOver = change();
        string answer = clients.WaitForLine(line => line.Contains("at_ns", StringComparison.Ordinal), Deadline, stopping).Text;
        using var json = JsonDocument.Parse(answer);
        return (json.RootElement.GetProperty("at_ns").GetInt64() - handedOver) / 1e6;
    }

    private static string[] Place(ComparedNode node, string from) =>
        ["--cgroup", node.CgroupOf(from), "--netns", node.Sandbox.Namespace(from)];

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
}
