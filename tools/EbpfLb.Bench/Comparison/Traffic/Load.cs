// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json;
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Comparison.Traffic;

/// <summary>What the generator saw in one turn.</summary>
/// <param name="BusySeconds">Of all processors together, meanwhile.</param>
internal sealed record Load(
    long Operations, long Failures, string LastError, double Seconds, double BusySeconds, IReadOnlyList<Bucket> Buckets)
{
    // A retransmission is a second here and counts as failed. One in a thousand connections does not make another figure of the rest.
    private const double MostFailures = 0.001;

    public double PerSecond => Operations / Seconds;

    public bool IsGood => Operations > 0 && Failures <= Operations * MostFailures;

    public string WhyNot => Operations == 0
        ? $"nothing came back: {LastError}"
        : $"{Failures} failed beside {Operations} that did not: {LastError}";

    /// <summary>The generator could not even begin.</summary>
    public static Load Nothing(string error) => new(0, 0, error, 0, 0, []);

    public static Load Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        return new Load(
            root.GetProperty("operations").GetInt64(),
            root.GetProperty("failures").GetInt64(),
            root.GetProperty("last_error").GetString()!,
            root.GetProperty("seconds").GetDouble(),
            root.GetProperty("busy_seconds").GetDouble(),
            [.. root.GetProperty("buckets_us").EnumerateArray().Select(bucket => new Bucket(bucket[0].GetDouble(), bucket[1].GetInt64()))]);
    }
}
