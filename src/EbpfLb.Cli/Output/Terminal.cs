// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using Spectre.Console;

namespace EbpfLb.Cli.Output;

/// <param name="Out">What was asked for.</param>
/// <param name="Error">What went wrong, and remarks: a script that reads <paramref name="Out"/> never sees them.</param>
/// <param name="IsInteractive">Whether <paramref name="Out"/> is looked at: without it nothing is coloured.</param>
/// <param name="Time">For the wall-clock times of things known by their age.</param>
internal sealed record Terminal(TextWriter Out, TextWriter Error, bool IsInteractive, TimeProvider Time)
{
    public static Terminal OfProcess() => new(
        new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), bufferSize: 1 << 16),
        Console.Error,
        !Console.IsOutputRedirected,
        TimeProvider.System);

    /// <summary>The word in the colour of traffic lights, where there are colours.</summary>
    public void WriteVerdict(string word, string rest)
    {
        if (!IsInteractive)
        {
            Out.WriteLine(word + Printable.Of(rest));
            return;
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Out) });
        console.Profile.Width = int.MaxValue;
        console.Write(new Text(word, new Style(word switch { "OK" => Color.Green, "DOWN" => Color.Red, _ => Color.Yellow })));
        Out.WriteLine(Printable.Of(rest));
    }
}
