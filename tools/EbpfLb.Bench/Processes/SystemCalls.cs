// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.RegularExpressions;

namespace EbpfLb.Bench.Processes;

/// <summary>The bpf(2) calls that one process makes, seen from outside by strace.</summary>
internal sealed partial class SystemCalls : IDisposable
{
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(300);

    private readonly string _file = Path.GetTempFileName();
    private readonly FollowedProcess _strace;

    private SystemCalls(int pid) => _strace = new FollowedProcess("strace", "-f", "-e", "trace=bpf", "-o", _file, "-p", $"{pid}");

    public static bool IsAvailable => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .Any(path => File.Exists(Path.Combine(path, "strace")));

    /// <returns>Calls by command, without the BPF_ they all begin with.</returns>
    public static IReadOnlyDictionary<string, int> During(int pid, Action action)
    {
        using var calls = new SystemCalls(pid);
        WaitUntilAttached(pid);
        action();
        Thread.Sleep(Settle);
        calls._strace.Signal("INT");
        calls._strace.WaitForExit(TimeSpan.FromSeconds(10));
        return calls.Count();
    }

    public void Dispose()
    {
        _strace.Dispose();
        File.Delete(_file);
    }

    public static bool Writes(string command) =>
        command.Contains("UPDATE", StringComparison.Ordinal) || command.Contains("DELETE", StringComparison.Ordinal);

    /// <summary>Of a file that strace wrote.</summary>
    public static IReadOnlyDictionary<string, int> Count(string file) => File.ReadLines(file)
        .Select(line => Call().Match(line))
        .Where(match => match.Success)
        .GroupBy(match => match.Groups["command"].Value)
        .OrderBy(group => group.Key, StringComparer.Ordinal)
        .ToDictionary(group => group.Key, group => group.Count());

    private IReadOnlyDictionary<string, int> Count() => Count(_file);

    // It says nothing when it succeeds; every thread of the process tells whether it is traced.
    private static void WaitUntilAttached(int pid)
    {
        for (int tries = 0; tries < 500; tries++)
        {
            if (Directory.EnumerateDirectories($"/proc/{pid}/task").All(IsTraced))
                return;
            Thread.Sleep(10);
        }

        throw new BenchException($"strace did not attach to process {pid}");
    }

    private static bool IsTraced(string task) => !File.ReadLines(Path.Combine(task, "status")).Contains("TracerPid:\t0");

    [GeneratedRegex(@"\bbpf\(BPF_(?<command>[A-Z_]+)")]
    private static partial Regex Call();
}
