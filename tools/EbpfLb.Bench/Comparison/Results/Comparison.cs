// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Bench.Comparison.Results;

/// <summary>A run: what results.json holds, and all that tables, charts and checks are made from.</summary>
/// <param name="Environment">Of the machine and the tools, as name and value, in the order they are shown.</param>
/// <param name="NotMeasured">What this run left out, and why. A figure is either here or in <paramref name="Series"/>.</param>
internal sealed record Comparison(
    int Schema,
    IReadOnlyList<Fact> Environment,
    Method Method,
    IReadOnlyList<Series> Series,
    IReadOnlyList<Distribution> Distributions,
    IReadOnlyList<Omission> NotMeasured)
{
    public const int CurrentSchema = 1;
}

internal sealed record Fact(string Name, string Value);

/// <param name="Seconds">Of one turn of a contestant, warm-up not included.</param>
/// <param name="EndpointsPerService">Of the services that nobody dials.</param>
/// <param name="Duration">Of the whole run, in seconds.</param>
/// <param name="ProgrammingRounds">In which all services were programmed anew. Null in older files, as the next.</param>
/// <param name="Xdp">The agent's option of that name.</param>
internal sealed record Method(
    bool Quick, int Rounds, double Seconds, IReadOnlyList<string> Modes, IReadOnlyList<int> ServiceCounts, int EndpointsPerService,
    double Duration, int? ProgrammingRounds = null, string? Xdp = null);

/// <summary>One figure: a measure of a mode at a number of services, once for each round.</summary>
/// <param name="Rounds">In order; what has the same index was measured beside one another, so ratios are of equal indices.</param>
/// <param name="Failures">Operations that failed or were lost, in each of the rounds. Null if it was not told.</param>
/// <param name="GeneratorShare">Of one processor, that the generator took in each of the rounds; null likewise.</param>
internal sealed record Series(
    string Measure, string Mode, int Services, IReadOnlyList<double> Rounds,
    IReadOnlyList<long>? Failures = null, IReadOnlyList<double>? GeneratorShare = null);

/// <summary>Durations of single operations over all rounds.</summary>
/// <param name="Buckets">Ascending; empty ones are left out.</param>
internal sealed record Distribution(
    string Measure, string Mode, int Services, long Count, double P50, double P99, double P999, IReadOnlyList<Bucket> Buckets);

/// <param name="UpTo">Microseconds, inclusive.</param>
internal sealed record Bucket(double UpTo, long Count);

internal sealed record Omission(string Measure, string Mode, int Services, string Reason);
