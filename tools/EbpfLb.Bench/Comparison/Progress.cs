// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using System.Globalization;

namespace EbpfLb.Bench.Comparison;

/// <summary>How far the run is: one line that changes on a terminal, and a line for each stage elsewhere.</summary>
internal sealed class Progress(TextWriter output, bool isTerminal)
{
    private const string Clear = "\r\e[K";
    private const int Width = 100;

    private readonly long _start = Stopwatch.GetTimestamp();

    /// <summary>What is being done now; the next one takes its place.</summary>
    public void Now(string text)
    {
        if (!isTerminal)
            return;

        string line = $"{Elapsed} {text}";
        output.Write(Clear + (line.Length > Width ? line[..Width] : line));
        output.Flush();
    }

    /// <summary>What stays.</summary>
    public void Done(string text) => output.WriteLine($"{(isTerminal ? Clear : "")}{Elapsed} {text}");

    private string Elapsed => Stopwatch.GetElapsedTime(_start).ToString(@"mm\:ss", CultureInfo.InvariantCulture);
}
