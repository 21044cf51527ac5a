// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.ComponentModel;
using EbpfLb.Linux.Processes;

namespace EbpfLb.Bench.Packets;

/// <summary>Programs of others, run to their end.</summary>
internal static class Command
{
    private static readonly ProcessRunner Runner = new();

    /// <returns>What it wrote to its output.</returns>
    public static string Run(string file, IReadOnlyList<string> arguments, CancellationToken stopping)
    {
        var result = Finish(file, arguments, stopping);
        return result.ExitCode == 0 ? result.StdOut : throw Failure(file, arguments, result);
    }

    /// <summary>For programs whose output says more than their exit status.</summary>
    public static string RunAnyway(string file, IReadOnlyList<string> arguments, CancellationToken stopping)
    {
        var result = Finish(file, arguments, stopping);
        return result.StdOut.Length > 0 ? result.StdOut : throw Failure(file, arguments, result);
    }

    private static BenchException Failure(string file, IReadOnlyList<string> arguments, ProcessResult result) =>
        new($"'{file} {string.Join(' ', arguments)}' ended with {result.ExitCode}: {result.StdErr.Trim()}");

    private static ProcessResult Finish(string file, IReadOnlyList<string> arguments, CancellationToken stopping)
    {
        try
        {
            return Runner.RunAsync(file, arguments, stopping).GetAwaiter().GetResult();
        }
        catch (Win32Exception exception)
        {
            throw new BenchException($"{file}: {exception.Message}");
        }
    }
}
