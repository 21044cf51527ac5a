// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Bench.Comparison.Results;

/// <summary>What turns a Service's address into a backend's. The names are those of the JSON file.</summary>
internal static class Mode
{
    /// <summary>Nothing: the backend itself is dialled. The ceiling, and the proof that the generator is not the limit.</summary>
    public const string Direct = "direct";

    /// <summary>The rules of kube-proxy's mode of that name, by the iptables that is in the environment.</summary>
    public const string Iptables = "iptables";

    /// <summary>The tables of kube-proxy's mode of that name.</summary>
    public const string Nftables = "nftables";

    /// <summary>This project's agent.</summary>
    public const string Ebpf = "ebpf";

    /// <summary>In the order of a round.</summary>
    public static IReadOnlyList<string> All { get; } = [Direct, Iptables, Nftables, Ebpf];
}
