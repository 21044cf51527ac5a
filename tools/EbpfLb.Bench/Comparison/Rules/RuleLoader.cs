// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.ComponentModel;
using System.Diagnostics;
using EbpfLb.Bench.Packets;

namespace EbpfLb.Bench.Comparison.Rules;

/// <summary>Rules into the kernel, in one network namespace, through the standard input of the tools that kube-proxy calls too.</summary>
internal static class RuleLoader
{
    public static void Restore(string netns, string tool, string rules, CancellationToken stopping) =>
        Feed(netns, [tool, "-w", "5", "--noflush", "--counters"], rules, stopping);

    /// <summary>What the rules do not name is no longer there.</summary>
    public static void Replace(string netns, string tool, string rules, CancellationToken stopping) =>
        Feed(netns, [tool, "-w", "5"], rules, stopping);

    public static void Nft(string netns, string rules, CancellationToken stopping) => Feed(netns, ["nft", "-f", "-"], rules, stopping);

    /// <summary>What there is, which kube-proxy looks at before it writes. The answer is read to its end.</summary>
    public static void List(string netns, IReadOnlyList<string> command, CancellationToken stopping) =>
        Command.Run("nsenter", [$"--net={netns}", "--", .. command], stopping);

    private static void Feed(string netns, IReadOnlyList<string> command, string rules, CancellationToken stopping)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("nsenter", [$"--net={netns}", "--", .. command])
            {
                RedirectStandardInput = true,
                RedirectStandardError = true,
            })!;
            using var kill = stopping.Register(process.Kill);
            var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
            try
            {
                process.StandardInput.Write(rules);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It ended before it had read all; its words say why.
            }

            process.WaitForExit();
            stopping.ThrowIfCancellationRequested();
            if (process.ExitCode != 0)
            {
                string said = errors.GetAwaiter().GetResult().Trim();
                throw new BenchException($"'{string.Join(' ', command)}' ended with {process.ExitCode}: {said}");
            }
        }
        catch (Win32Exception exception)
        {
            throw new BenchException($"nsenter: {exception.Message}");
        }
    }
}
