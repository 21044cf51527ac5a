// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text.RegularExpressions;

namespace EbpfLb.Bench.Processes;

/// <summary>The agent as an operator starts it, in the sandbox. Its log is what tells how far it is.</summary>
/// <param name="options">Where the objects come from, and further ones of the command line.</param>
/// <param name="before">A command, such as strace, that runs the agent.</param>
internal sealed partial class AgentProcess(
    string executable, Sandbox sandbox, string bpffs, IEnumerable<string> options, params IEnumerable<string> before)
    : FollowedProcess("nsenter",
    [
        $"--net={sandbox.NodeNamespace}", "--", .. before, executable, "agent", "--bpffs", bpffs,
        "--cgroup", sandbox.FirstCgroup, "--node-name", "node-00", .. options,
    ])
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    /// <param name="At">When the line arrived here.</param>
    /// <param name="MapWrites">As the agent counted them.</param>
    /// <param name="Milliseconds">From objects to maps, as the agent measured it.</param>
    public readonly record struct Sync(long At, long MapWrites, double Milliseconds);

    public static string PinDirectory(string bpffs) => Path.Combine(bpffs, "ebpflb");

    public long WaitForDatapath(CancellationToken stopping) =>
        WaitForLine(line => line.Contains("Datapath ready", StringComparison.Ordinal), Deadline, stopping).At;

    public Sync WaitForFirstSync(CancellationToken stopping) => Parse(WaitForLine(line => FirstSync().IsMatch(line), Deadline, stopping));

    /// <summary>Those since the last call.</summary>
    public IReadOnlyList<Sync> TakeSyncs() => [.. TakeLines().Where(line => LaterSync().IsMatch(line.Text)).Select(Parse)];

    private static Sync Parse(Line line)
    {
        var match = Figures().Match(line.Text);
        return new Sync(
            line.At,
            long.Parse(match.Groups["writes"].ValueSpan, CultureInfo.InvariantCulture),
            double.Parse(match.Groups["ms"].ValueSpan, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"First sync: .* map writes in")]
    private static partial Regex FirstSync();

    [GeneratedRegex(@"Synced .* map writes in")]
    private static partial Regex LaterSync();

    [GeneratedRegex(@"(?<writes>\d+) map writes in (?<ms>[\d.]+) ms")]
    private static partial Regex Figures();
}
