// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Bench.Comparison.Reporting.Charts;

internal readonly record struct Tick(double Value, string Label);

/// <summary>Where on an axis a value is: 0 at its beginning, 1 at its end.</summary>
internal sealed record Scale(double Low, double High, bool IsLogarithmic, IReadOnlyList<Tick> Ticks)
{
    // Below it, powers of ten alone would leave an axis with one label or two.
    private const double FewDecades = 2.1;

    private static readonly double[] Steps = [1, 2, 2.5, 5, 10];

    public double Of(double value)
    {
        double part = IsLogarithmic
            ? (Math.Log10(Math.Max(value, Low)) - Math.Log10(Low)) / (Math.Log10(High) - Math.Log10(Low))
            : (value - Low) / (High - Low);
        return Math.Clamp(part, 0, 1);
    }

    /// <summary>Begins at zero and ends at a round number.</summary>
    public static Scale FromZero(double max, Func<double, string>? label = null, int intervals = 5)
    {
        max = max > 0 ? max : 1;
        double magnitude = Math.Pow(10, Math.Floor(Math.Log10(max / intervals)));
        double step = magnitude * Steps.First(candidate => candidate * magnitude * intervals >= max * (1 - 1e-9));
        int count = (int)Math.Ceiling((max / step) - 1e-9);
        return new Scale(
            0, count * step, false, Labelled(Enumerable.Range(0, count + 1).Select(index => index * step), label));
    }

    /// <summary>Begins and ends at a round number; labels are powers of ten, or each 1, 2 and 5 where those were few.</summary>
    public static Scale Logarithmic(double min, double max, Func<double, string>? label = null)
    {
        min = min > 0 ? min : Math.Max(max, 1) / 1000;
        max = Math.Max(max, min);
        double[] mantissas = Math.Log10(max / min) < FewDecades ? [1, 2, 5] : [1];
        double[] rounds =
        [
            .. from exponent in Enumerable.Range((int)Math.Floor(Math.Log10(min)) - 1, (int)Math.Ceiling(Math.Log10(max / min)) + 4)
               from mantissa in mantissas
               select mantissa * Math.Pow(10, exponent),
        ];
        double low = rounds.Last(round => round <= min * (1 + 1e-9));
        double high = rounds.First(round => round >= max * (1 - 1e-9) && round > low);
        return new Scale(
            low, high, true, Labelled(rounds.Where(round => round >= low && round <= high), label));
    }

    /// <summary>Logarithmic, with a label for each of the values and none between.</summary>
    public static Scale At(IReadOnlyList<Tick> ticks) => ticks.Count > 1
        ? new Scale(ticks[0].Value, ticks[^1].Value, true, ticks)
        : new Scale(ticks[0].Value / 2, ticks[0].Value * 2, true, ticks);

    private static Tick[] Labelled(IEnumerable<double> values, Func<double, string>? label) =>
        [.. values.Select(value => new Tick(value, (label ?? Words.Plain)(value)))];
}
