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

    /// <summary>In the unit that leaves the fewest digits.</summary>
    public static string Milliseconds(double value) => Math.Abs(value) switch
    {
        >= 600_000 => $"{Number(value / 60_000)} min",
        >= 1000 => $"{Number(value / 1000)} s",
        >= 1 or 0 => $"{Number(value)} ms",
        _ => $"{Number(value * 1000)} \u00b5s",
    };

    public static string Microseconds(double value) => Milliseconds(value / 1000);

    /// <summary>For an axis, whose values are round.</summary>
    public static string RoundMilliseconds(double value) => value switch
    {
        >= 1000 => $"{Plain(value / 1000)} s",
        >= 1 => $"{Plain(value)} ms",
        _ => $"{Plain(value * 1000)} \u00b5s",
    };

    public static string RoundMicroseconds(double value) => RoundMilliseconds(value / 1000);

    public static string Plain(double value) => value.ToString("#,##0.######", CultureInfo.InvariantCulture);

    public static string Of(Verdict verdict) => verdict switch
    {
        Verdict.Met => "met",
        Verdict.NotMet => "NOT MET",
        _ => "not measured",
    };

    /// <summary>Of a mode, as it is called where people read.</summary>
    public static string Name(string mode) => mode switch
    {
        Mode.Ebpf => "EbpfLb",
        Mode.Iptables => "iptables (nf_tables)",
        Mode.IptablesLegacy => "iptables (legacy)",
        _ => mode,
    };
}
