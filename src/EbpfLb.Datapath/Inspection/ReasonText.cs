// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text;
using EbpfLb.Datapath.Contract;

namespace EbpfLb.Datapath.Inspection;

/// <summary>What people and scripts call hooks and reasons, and what a reason means.</summary>
public static class ReasonText
{
    /// <summary>As in C, without the prefix: "tc_ingress".</summary>
    public static string Name(Hook hook) => Enum.IsDefined(hook) ? Snake(hook.ToString()) : Number("hook", (uint)hook);

    /// <summary>As in C, without the prefix: "no_local_endpoint".</summary>
    public static string Name(Reason reason) => Enum.IsDefined(reason) ? Snake(reason.ToString()) : Number("reason", (uint)reason);

    public static string Meaning(Reason reason) => reason switch
    {
        Reason.NewFlow => "translated: the first packet of a new flow",
        Reason.PickedUp => "translated: a packet from the middle of a connection whose entry was lost",
        Reason.Rebuilt => "translated: half of the flow's entry was lost, and made anew from the other half",
        Reason.IcmpTranslated => "translated: an ICMP error that belongs to a translated flow",
        Reason.HandedDown => "passed from XDP to tc, which did the work",
        Reason.RefusedNoEndpoint => "refused: the service has no usable endpoint anywhere",
        Reason.RefusedNoPort => "refused: no service has this port of the address",
        Reason.TtlExceeded => "answered with ICMP time exceeded: TTL or hop limit ran out here",
        Reason.TooBig => "larger than the route to the backend takes: answered with ICMP, or dropped where no answer is allowed",
        Reason.ReplyLimit => "dropped: it should have been answered, but too many answers were sent in this second",
        Reason.NoLocalEndpoint => "dropped: traffic policy Local, and the service's endpoints are all on other nodes",
        Reason.SourceRange => "dropped: the service's loadBalancerSourceRanges do not admit this source",
        Reason.ClusterIP => "dropped: a ClusterIP dialled from outside of the cluster",
        Reason.Unallocated => "dropped: an address of the service range that no service has",
        Reason.OtherProtocol => "dropped: a service address, but neither TCP, UDP nor SCTP",
        Reason.Malformed => "dropped: headers that contradict each other or the packet's length",
        Reason.Martian => "dropped: a source address that no packet can come from",
        Reason.Loop => "dropped: it would have been sent back to where it came from",
        Reason.FragmentTiny => "dropped: a first fragment that cuts the header, or a later one that overwrites it",
        Reason.FragmentUnknown => "dropped: a later fragment whose first one was not seen",
        Reason.NoFlow => "dropped: a TCP segment that opens no connection and belongs to none",
        Reason.NoSnatPort => "refused: every masquerading port towards the backend is taken",
        Reason.NoRoute => "dropped: no route to the backend, or IP forwarding is off",
        Reason.NotForUs => "dropped: a broadcast or multicast frame with a service address in it",
        Reason.MapFull => "dropped: conntrack has no room for the flow",
        Reason.TooManyHeaders => "passed on untouched: more IPv6 extension headers than are looked at",
        Reason.Failed => "dropped: a function of the kernel failed",
        Reason.BackendGone => "reset: the connection's backend is gone, and does not answer any more",
        _ => "unknown to this version of ebpflb",
    };

    private static string Number(string what, uint number) => string.Create(CultureInfo.InvariantCulture, $"{what}_{number}");

    private static string Snake(string name)
    {
        var text = new StringBuilder(name.Length + 4);
        for (int i = 0; i < name.Length; i++)
        {
            if (i > 0 && char.IsUpper(name[i]) && char.IsLower(name[i - 1]))
                text.Append('_');
            text.Append(char.ToLowerInvariant(name[i]));
        }

        return text.ToString();
    }
}
