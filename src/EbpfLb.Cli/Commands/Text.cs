// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Cli.Commands;

internal static class Text
{
    public static string HostPort(FrontendAddress frontend) =>
        frontend.Address.IsIPv4 ? $"{frontend.Address}:{frontend.Port}" : $"[{frontend.Address}]:{frontend.Port}";

    /// <summary>As the options and annotations spell it.</summary>
    public static string Of(Algorithm algorithm) => algorithm switch
    {
        Algorithm.Random => "random",
        Algorithm.Maglev => "maglev",
        _ => $"algorithm-{(byte)algorithm}",
    };
}
