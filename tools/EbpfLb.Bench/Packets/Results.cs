// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EbpfLb.Bench.Packets;

/// <summary>What became of the frames of one run.</summary>
/// <param name="Count">Frames that left the generator.</param>
/// <param name="Expected">That came back as they should.</param>
/// <param name="BusySeconds">Of the processor: generator, node and receiver together.</param>
internal sealed record Sent(
    [property: JsonPropertyName("sent")] long Count,
    [property: JsonPropertyName("expected")] long Expected,
    [property: JsonPropertyName("others")] long Others,
    [property: JsonPropertyName("wrong_sums")] long WrongSums,
    [property: JsonPropertyName("seconds")] double Seconds,
    [property: JsonPropertyName("busy_seconds")] double BusySeconds)
{
    /// <summary>Of those that came back as they should.</summary>
    public double MillionsPerSecond => Expected / BusySeconds / 1e6;

    /// <summary>Of those sent, whatever became of them.</summary>
    public double MillionsHandledPerSecond => Count / BusySeconds / 1e6;

    public double Lost => 1 - ((double)Expected / Count);

    public static Sent Parse(string json) => JsonSerializer.Deserialize<Sent>(json)!;
}

/// <param name="Ns">A frame: written, and put through the program.</param>
/// <param name="EmptyNs">The same with a program that does nothing.</param>
internal sealed record Repeated(
    [property: JsonPropertyName("ns")] uint Ns,
    [property: JsonPropertyName("empty_ns")] uint EmptyNs,
    [property: JsonPropertyName("verdict")] uint Verdict)
{
    public static Repeated Parse(string json) => JsonSerializer.Deserialize<Repeated>(json)!;
}

/// <summary>A frame as a program left it.</summary>
internal sealed record Translated(
    [property: JsonPropertyName("flow")] int Flow,
    [property: JsonPropertyName("verdict")] uint Verdict,
    [property: JsonPropertyName("source")] string Source,
    [property: JsonPropertyName("source_port")] int SourcePort,
    [property: JsonPropertyName("destination")] string Destination,
    [property: JsonPropertyName("destination_port")] int DestinationPort)
{
    public static IReadOnlyList<Translated> Parse(string lines) =>
        [.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<Translated>(line)!)];
}
