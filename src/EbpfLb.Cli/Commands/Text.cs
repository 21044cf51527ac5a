// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Inspection;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Cli.Commands;

internal static class Text
{
    public static string HostPort(FrontendAddress frontend) => new AddressPort(frontend.Address, frontend.Port).ToString();

    /// <summary>As the API calls these types; a frontend may be of several.</summary>
    public static string Of(FrontendFlags flags) => string.Join(",", Enum.GetValues<FrontendFlags>()
        .Where(flag => flag != FrontendFlags.None && flags.HasFlag(flag)).Select(flag => flag.ToString()));

    /// <summary>As the options and annotations spell it.</summary>
    public static string Of(Algorithm algorithm) => algorithm switch
    {
        Algorithm.Random => "random",
        Algorithm.Maglev => "maglev",
        _ => $"algorithm-{(byte)algorithm}",
    };
}
