// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Bench.Comparison.Results;

/// <summary>What turns a Service's address into a backend's. The names are those of the JSON file.</summary>
internal static class Mode
{
    /// <summary>Nothing: the backend itself is dialled. The ceiling of the generator and of the machine.</summary>
    public const string Direct = "direct";

    /// <summary>The rules of kube-proxy's mode of that name, kept in nf_tables by the iptables that distributions ship.</summary>
    public const string Iptables = "iptables";

    /// <summary>The same rules by the older iptables, whose tables the kernel reads as they are.</summary>
    public const string IptablesLegacy = "iptables-legacy";

    /// <summary>The tables of kube-proxy's mode of that name.</summary>
    public const string Nftables = "nftables";

    /// <summary>This project's agent.</summary>
    public const string Ebpf = "ebpf";

    /// <summary>In the order of reports, and of the first round.</summary>
    public static IReadOnlyList<string> All { get; } = [Direct, Iptables, IptablesLegacy, Nftables, Ebpf];
}
