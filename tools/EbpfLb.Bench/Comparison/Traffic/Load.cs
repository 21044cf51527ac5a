// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json;
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Comparison.Traffic;

/// <summary>What the generator saw in one turn.</summary>
/// <param name="Operations">That succeeded.</param>
/// <param name="BusySeconds">Of all processors together, meanwhile.</param>
/// <param name="OwnSeconds">Of the generator, what the kernel does for its packets while it sends them included.</param>
/// <param name="Buckets">Lost operations are among them.</param>
internal sealed record Load(
    long Operations, long Failures, string LastError, double Seconds, double BusySeconds, double OwnSeconds, IReadOnlyList<Bucket> Buckets)
{
    /// <summary>One operation in a thousand does not make another figure of the rest.</summary>
    public const double FewFailures = 0.001;

    // An overloaded path loses datagrams. With more than this, the rate of those that were not lost says nothing.
    private const double MostFailures = 0.05;

    public double PerSecond => Operations / Seconds;

    public bool IsGood => Operations > 0 && Failures <= Operations * FewFailures;

    /// <summary>Not good, and a figure all the same, if its losses are told with it.</summary>
    public bool IsUsable => Operations > 0 && Failures <= Operations * MostFailures;

    /// <summary>Of one processor, that the generator took.</summary>
    public double OwnShare => OwnSeconds / Seconds;

    public string WhyNot => Operations == 0
        ? $"nothing came back: {LastError}"
        : $"{Failures} failed beside {Operations} that did not: {LastError}";

    /// <summary>The generator could not even begin.</summary>
    public static Load Nothing(string error) => new(0, 0, error, 0, 0, 0, []);

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
            root.GetProperty("own_seconds").GetDouble(),
            [.. root.GetProperty("buckets_us").EnumerateArray().Select(bucket => new Bucket(bucket[0].GetDouble(), bucket[1].GetInt64()))]);
    }
}
