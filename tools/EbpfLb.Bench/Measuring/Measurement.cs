// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Bench.Measuring;

/// <param name="Part">What was running.</param>
/// <param name="Name">What the figure says.</param>
/// <param name="Value">One number; of repeated measurements, the one of interest.</param>
/// <param name="Method">How it was obtained, in a line.</param>
internal sealed record Measurement(string Part, string Name, double Value, string Unit, string Method, Bar? Bar = null)
{
    /// <summary>Of the machine in the last minute, when the figure was told.</summary>
    public double Load { get; init; }

    public bool? Met => Bar?.IsMetBy(Value);

    /// <summary>Of repeated measurements, in words.</summary>
    public string? Spread { get; init; }

    /// <summary>All of them, in the order they were made.</summary>
    public IReadOnlyList<double>? Values { get; init; }

    public static Measurement Median(string part, string name, Sample sample, string unit, string method, Bar? bar = null) =>
        new(part, name, sample.Median, unit, method, bar) { Spread = sample.Range, Values = sample.Values };

    public static Measurement Tail(string part, string name, Sample sample, string unit, string method, Bar? bar = null) =>
        new(part, $"{name}, p99", sample.Percentile(0.99), unit, method, bar) { Spread = sample.Tail, Values = sample.Values };

    /// <summary>For what must never exceed its bar.</summary>
    public static Measurement Worst(string part, string name, Sample sample, string unit, string method, Bar? bar = null) =>
        new(part, name, sample.Max, unit, method, bar) { Spread = sample.Range, Values = sample.Values };
}
