// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Bench.Measuring;

/// <summary>What a figure has to meet.</summary>
/// <param name="Limit">In the unit of the figure.</param>
/// <param name="AtLeast">True when more is better.</param>
/// <param name="Hard">Missing it is a failure under --check.</param>
internal sealed record Bar(double Limit, bool AtLeast, bool Hard)
{
    public static Bar Most(double limit) => new(limit, AtLeast: false, Hard: true);

    public static Bar Least(double limit) => new(limit, AtLeast: true, Hard: true);

    public bool IsMetBy(double value) => AtLeast ? value >= Limit : value <= Limit;
}
