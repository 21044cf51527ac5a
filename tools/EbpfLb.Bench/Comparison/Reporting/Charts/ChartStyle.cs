// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Comparison.Reporting.Charts;

/// <summary>
/// Colours that people who see colours differently can tell apart, the same for a mode wherever it is drawn. Each mode has a shape as
/// well, for print and for who sees none.
/// </summary>
internal static class ChartStyle
{
    /// <summary>For whatever element holds a drawing.</summary>
    public const string Light =
        "--ground:#fff;--ink:#1c2430;--muted:#5a6675;--rule:#e1e5ea;--axis:#9aa5b1;"
        + "--direct:#6c7683;--iptables:#d05a00;--iptables-legacy:#8a6a00;--nftables:#00875f;--ebpf:#0067b0;";

    public const string Dark =
        "--ground:#14181f;--ink:#e8ecf1;--muted:#a3afbd;--rule:#2b323c;--axis:#5d6875;"
        + "--direct:#a7b1bd;--iptables:#ff9347;--iptables-legacy:#d9b84a;--nftables:#3cc998;--ebpf:#5fb4ff;";

    public const string Rules =
        """
        .chart{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-size:12.5px}
        .chart text{fill:var(--muted)}
        .chart .strong{fill:var(--ink);font-weight:600}
        .chart .value{fill:var(--ink);paint-order:stroke;stroke:var(--ground);stroke-width:3px;font-variant-numeric:tabular-nums}
        .chart .grid{stroke:var(--rule);fill:none}
        .chart .axis{stroke:var(--axis);fill:none}
        .chart .one{stroke:var(--ink);stroke-dasharray:3 3;fill:none}
        .chart .line{stroke:currentColor;stroke-width:2;fill:none;stroke-linejoin:round}
        .chart .direct .line{stroke-dasharray:6 4}
        .chart .mark{fill:currentColor;stroke:var(--ground)}
        .chart .bar{fill:currentColor}
        .chart .stem{fill:currentColor;opacity:.3}
        .chart .range{stroke:currentColor;stroke-width:1.3;fill:none}
        .chart .over{stroke:var(--ink);stroke-width:1.3;fill:none}
        .direct{color:var(--direct)}.iptables{color:var(--iptables)}.iptables-legacy{color:var(--iptables-legacy)}
        .nftables{color:var(--nftables)}.ebpf{color:var(--ebpf)}
        """;

    /// <summary>The class of a mode; names that are no mode have none.</summary>
    public static string ClassOf(string mode) => Mode.All.Contains(mode) ? mode : "";

    /// <summary>The shape of a mode around a point.</summary>
    public static string Mark(string mode, double x, double y)
    {
        string At(double dx, double dy) => $"{Svg.Number(x + dx)} {Svg.Number(y + dy)}";
        return mode switch
        {
            Mode.Direct => $"M{At(0, -5)}L{At(5, 0)}L{At(0, 5)}L{At(-5, 0)}Z",
            Mode.Iptables => $"M{At(-4, -4)}H{Svg.Number(x + 4)}V{Svg.Number(y + 4)}H{Svg.Number(x - 4)}Z",
            Mode.IptablesLegacy => $"M{At(-5, -4)}L{At(5, -4)}L{At(0, 5)}Z",
            Mode.Nftables => $"M{At(0, -5)}L{At(5, 4)}L{At(-5, 4)}Z",
            _ => $"M{At(-4.5, 0)}a4.5 4.5 0 1 1 9 0a4.5 4.5 0 1 1 -9 0Z",
        };
    }
}
