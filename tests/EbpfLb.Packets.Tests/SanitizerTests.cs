// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using System.Globalization;
using System.Reflection;

namespace EbpfLb.Packets.Tests;

/// <summary>The programs as plain C, with the sanitizers of clang looking on: tests/sanitizer, which says itself what it checks.</summary>
public sealed class SanitizerTests
{
    private const ulong Frames = 200_000;

    // A run in which no packet, or call, went this way would have checked nothing of it.
    private static readonly string[] Ways =
        ["passed", "passed translated", "sent", "sent to a neighbour to be found", "answered", "dropped", "sweeps", "evictions",
        "connected to a backend", "sent to a backend", "refused at the socket", "shown the frontend"];

    private static readonly string Objects = typeof(SanitizerTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "BpfObjects").Value!;

    private static readonly string Root = Path.GetFullPath(Path.Combine(Objects, "../.."));

    [Fact]
    public void S68_Nothing_is_read_or_written_where_it_must_not_be()
    {
        Run("make", "--silent", "--no-print-directory", "-C", Path.Combine(Root, "tests/sanitizer"));
        string report = Run(Path.Combine(Root, "artifacts/sanitizer/fuzz"), Frames.ToString(CultureInfo.InvariantCulture));

        var totals = report.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(": "))
            .ToDictionary(parts => parts[0], parts => ulong.Parse(parts[1], CultureInfo.InvariantCulture));
        Assert.True(totals["runs"] >= Frames, report);
        Assert.All(Ways, way => Assert.True(totals[way] > 0, $"none: {way}\n{report}"));
        Assert.Equal(totals["runs"], totals["passed"] + totals["sent"] + totals["answered"] + totals["dropped"]);
    }

    private static string Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}\n{output}{errors.Result}");
        return output;
    }
}
