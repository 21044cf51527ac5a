// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Comparison.Reporting;

/// <summary>Numbers and names as every output shows them.</summary>
internal static class Words
{
    public const string NoisyMark = "~";

    public static string NoisyMeans { get; } = string.Create(
        CultureInfo.InvariantCulture, $"{NoisyMark} rounds differ by more than {Summary.NoisyAbove * 100:0} % of the median");

    /// <summary>To three digits that count; whole numbers from 100 on.</summary>
    public static string Number(double value) => value.ToString(
        Math.Abs(value) switch
        {
            >= 99.95 => "#,##0",
            >= 9.995 => "0.0",
            >= 0.9995 or 0 => "0.00",
            >= 0.09995 => "0.000",
            _ => "0.####",
        },
        CultureInfo.InvariantCulture);

    public static string Count(int count) => count.ToString("#,##0", CultureInfo.InvariantCulture);

    public static string Services(int count) => count == 1 ? "1 service" : $"{Count(count)} services";

    public static string Percent(double part) => string.Create(CultureInfo.InvariantCulture, $"{part * 100:0.#} %");

    public static string Marked(Summary figure) => Number(figure.Median) + (figure.IsNoisy ? NoisyMark : "");

    public static string Range(Summary figure) => $"{Number(figure.Min)} to {Number(figure.Max)}";

    public static string Of(Verdict verdict) => verdict switch
    {
        Verdict.Met => "met",
        Verdict.NotMet => "NOT MET",
        _ => "not measured",
    };

    /// <summary>Of a mode, as it is called where people read.</summary>
    public static string Name(string mode) => mode == Mode.Ebpf ? "EbpfLb" : mode;
}
