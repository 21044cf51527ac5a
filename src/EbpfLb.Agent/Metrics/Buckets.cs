// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Agent.Metrics;

/// <summary>The buckets of kube-proxy, in seconds, so that its dashboards and rules go on to work.</summary>
internal static class Buckets
{
    /// <summary>0.001, doubled fourteen times.</summary>
    public static double[] Sync { get; } = [.. Enumerable.Range(0, 15).Select(power => 0.001 * (1 << power))];

    public static double[] NetworkProgramming { get; } =
    [
        0.25, 0.5,
        .. Steps(1, 1, 59),
        .. Steps(60, 5, 12),
        .. Steps(120, 30, 7),
    ];

    private static IEnumerable<double> Steps(int first, int step, int count) =>
        Enumerable.Range(0, count).Select(index => (double)(first + (index * step)));
}
