// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison.Reporting.Charts;

namespace EbpfLb.Bench.Comparison.Reporting.Html;

/// <summary>Of the report. It has no character that XML would escape, as HTML takes the text of a style element as it is.</summary>
internal static class PageStyle
{
    private const string Rules =
        """
        *{box-sizing:border-box}
        html{-webkit-text-size-adjust:100%}
        body{margin:0;background:var(--ground);color:var(--ink);
          font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
        main{max-width:1160px;margin:0 auto;padding:28px 16px 64px}
        h1{font-size:clamp(1.5rem,1.1rem + 2vw,2.3rem);line-height:1.2;margin:0 0 6px;letter-spacing:-.015em;text-wrap:balance}
        h2{font-size:1.35rem;line-height:1.3;margin:52px 0 8px;padding-top:14px;border-top:1px solid var(--rule)}
        h3{font-size:1.02rem;margin:28px 0 4px}
        p{margin:0 0 10px;max-width:72ch}
        .lead{color:var(--muted);margin-bottom:22px}
        .note{color:var(--muted);font-size:.9rem}
        .warn{border-left:4px solid var(--iptables);padding:6px 12px;background:var(--card)}
        code{font:.9em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--card);padding:.1em .35em;border-radius:4px;
          overflow-wrap:anywhere}
        .tiles{display:grid;gap:12px;grid-template-columns:repeat(auto-fit,minmax(min(100%,300px),1fr));margin:0 0 24px}
        .tile{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:14px 16px}
        .tile b{display:block;font-size:2.1rem;line-height:1.15;color:var(--ebpf);letter-spacing:-.02em;font-variant-numeric:tabular-nums}
        .tile span{display:block;font-size:.95rem}
        .tile small{display:block;color:var(--muted);font-size:.83rem;margin-top:4px}
        .goals{list-style:none;padding:0;margin:8px 0 0}
        .goals li{display:grid;grid-template-columns:7.6rem 1fr auto;gap:2px 12px;padding:7px 0;border-top:1px solid var(--rule);
          align-items:baseline}
        .goals .verdict{font-weight:600;font-size:.88rem}
        .goals .met{color:var(--nftables)}
        .goals .missed{color:var(--iptables)}
        .goals .open{color:var(--muted)}
        .goals .found{font-variant-numeric:tabular-nums;text-align:right}
        .goals .found small{color:var(--muted)}
        .charts{display:grid;gap:26px 30px;grid-template-columns:repeat(auto-fit,minmax(min(100%,310px),1fr));margin-top:18px;
          align-items:end}
        .charts.top{align-items:start}
        .charts.wide{grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));align-items:start}
        figure{margin:0;break-inside:avoid}
        figcaption{margin-bottom:8px;line-height:1.35}
        figcaption span{white-space:nowrap;color:var(--muted);font-size:.87rem;margin-left:6px}
        figcaption p{color:var(--muted);font-size:.87rem;margin:2px 0 0}
        svg.chart{display:block;width:100%;max-width:520px;height:auto;overflow:visible}
        .scroll{overflow-x:auto;margin:8px 0 18px;-webkit-overflow-scrolling:touch}
        table{border-collapse:collapse;font-size:.87rem;font-variant-numeric:tabular-nums}
        .caption{margin:18px 0 0;font-size:.92rem}
        .caption span{color:var(--muted)}
        th,td{padding:5px 12px 5px 0;text-align:right;vertical-align:top;white-space:nowrap;border-bottom:1px solid var(--rule)}
        th{font-weight:600;color:var(--muted)}
        td small{display:block;color:var(--muted);font-size:.78rem}
        td.own{font-weight:600}
        .text th,.text td{text-align:left;white-space:normal;overflow-wrap:anywhere}
        .text th{min-width:8.5rem}
        @media (max-width:560px){
          .goals li{grid-template-columns:1fr auto}
          .goals .what{grid-column:1/-1;grid-row:2}
          h2{margin-top:40px}
          main{padding-top:20px}
        }
        @media print{
          :root{color-scheme:light}
          body{font-size:10.5pt}
          main{max-width:none;padding:0}
          .scroll{overflow:visible}
          table,.tile,li{break-inside:avoid}
          h2,h3,.caption{break-after:avoid}
          .charts,.charts.wide{display:block;columns:2;column-gap:24px}
          figure{margin-bottom:16px}
          h2{break-inside:avoid}
          h2{margin-top:26px}
          *{print-color-adjust:exact;-webkit-print-color-adjust:exact}
        }
        """;

    // Paper is white whatever the screen was.
    public static string Css =>
        $"\n:root{{color-scheme:light dark;{ChartStyle.Light}--card:#f5f7f9}}\n"
        + $"@media screen and (prefers-color-scheme:dark){{:root{{{ChartStyle.Dark}--card:#1b212a}}}}\n"
        + ChartStyle.Rules + "\n" + Rules + "\n";
}
