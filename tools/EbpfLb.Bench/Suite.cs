// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Api;
using EbpfLb.Bench.Measuring;
using EbpfLb.Bench.Packets;
using EbpfLb.Datapath.Loading;
using EbpfLb.Linux;

namespace EbpfLb.Bench;

internal static class Suite
{
    /// <returns>False when a part could not be measured; the report says why.</returns>
    public static async Task<bool> RunAsync(BenchOptions options, Report report, CancellationToken stopping)
    {
        bool measured = true;
        foreach (string part in options.Parts)
        {
            Console.Error.WriteLine($"{part} ...");
            try
            {
                await RunPartAsync(part, options, report, stopping);
            }
            catch (OperationCanceledException)
            {
                report.AddFailure($"{part}: interrupted");
                return false;
            }
            catch (Exception exception) when (exception is BenchException or DatapathException or LinuxException or IOException
                or UnauthorizedAccessException or HttpRequestException or TimeoutException)
            {
                report.AddFailure($"{part}: {exception.Message}");
                measured = false;
            }
        }

        return measured;
    }

    private static Task RunPartAsync(string part, BenchOptions options, Report report, CancellationToken stopping) => part switch
    {
        BenchOptions.ConnectPart => Task.Run(() => new ConnectCost(options, report).Run(stopping), stopping),
        BenchOptions.SyncPart => new SyncCost(options, report).RunAsync(stopping),
        BenchOptions.StartPart => Task.Run(() => new AgentStart(options, report).Run(stopping), stopping),
        BenchOptions.AgentPart => Task.Run(() => new AgentAtSize(options, report, perFile: 1).Run(stopping), stopping),
        BenchOptions.LargeFilesPart => Task.Run(
            () => new AgentAtSize(options, report, options.ServicesOfLargeFile).Run(stopping), stopping),
        BenchOptions.ApiPart => new ApiCost(options, report).RunAsync(stopping),
        BenchOptions.ApiMillionPart => Task.Run(() => new ApiMillion(options, report).Run(stopping), stopping),
        BenchOptions.ApiChurnPart => new ApiChurn(options, report).RunAsync(stopping),
        BenchOptions.PacketsPart => Task.Run(
            () =>
            {
                using var cost = new PacketCost(options, report);
                cost.Run(stopping);
            },
            stopping),
        BenchOptions.ProgramPart => Task.Run(() => new ProgramCost(options, report).Run(stopping), stopping),
        BenchOptions.FloodPart => Task.Run(() => new Flood(options, report).Run(stopping), stopping),
        BenchOptions.TcpPart => Task.Run(() => new TcpCost(options, report).Run(stopping), stopping),
        BenchOptions.FollowPart => Task.Run(() => new FollowCost(options, report).Run(stopping), stopping),
        BenchOptions.SweepPart => new SweepCost(options, report).RunAsync(stopping),
        _ => throw new ArgumentOutOfRangeException(nameof(part), part, null),
    };
}
