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
        try
        {
            var result = Runner.RunAsync(file, arguments, stopping).GetAwaiter().GetResult();
            return result.ExitCode == 0
                ? result.StdOut
                : throw new BenchException($"'{file} {string.Join(' ', arguments)}' ended with {result.ExitCode}: {result.StdErr.Trim()}");
        }
        catch (Win32Exception exception)
        {
            throw new BenchException($"{file}: {exception.Message}");
        }
    }
}
