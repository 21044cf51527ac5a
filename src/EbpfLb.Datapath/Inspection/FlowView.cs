// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Inspection;

/// <summary>A translated flow: the two halves of conntrack_v1 put together, or the one that is there.</summary>
/// <param name="Frontend">What the client dialled.</param>
/// <param name="Snat">Whom the backend sees in the client's place; null when it sees the client.</param>
/// <param name="Traits">Those flags that were given to the flow when it began.</param>
/// <param name="Backend">Where the flow goes, whether or not the maps still have this backend.</param>
/// <param name="ServiceName">Empty when the backend or its service is gone.</param>
/// <param name="SeenAgo">Since the last packet of either direction.</param>
/// <param name="ExpiresIn">Zero: the next sweep removes it. Null when no agent has written the timeouts.</param>
/// <param name="In">Of the client's packets; null when that half is missing.</param>
/// <param name="Out">Of the backend's.</param>
public sealed record FlowView(
    Protocol Protocol,
    AddressPort Client,
    AddressPort Frontend,
    AddressPort Backend,
    AddressPort? Snat,
    FlowHalves Halves,
    FlowState State,
    ConntrackFlags Traits,
    uint BackendId,
    string ServiceName,
    TimeSpan SeenAgo,
    TimeSpan? ExpiresIn,
    CountValue? In,
    CountValue? Out)
{
    /// <param name="maps">Conntrack is read as a whole; a flow that begins or ends meanwhile may show one half.</param>
    /// <param name="nowNs">CLOCK_MONOTONIC, as the entries have it.</param>
    /// <param name="isWanted">Only these are kept and sorted.</param>
    public static IReadOnlyList<FlowView> ReadAll(KernelMaps maps, ulong nowNs, Func<FlowView, bool> isWanted)
    {
        ArgumentNullException.ThrowIfNull(maps);
        ArgumentNullException.ThrowIfNull(isWanted);

        // Conntrack first: a backend that is written meanwhile is then found, not reported as gone.
        var entries = maps.Conntrack.ReadAll();
        return new FlowReader(entries, new BackendNames(maps), maps.Settings.Get<SettingsValue>(0), nowNs).Read(isWanted);
    }
}

public enum FlowHalves
{
    Both = 0,

    /// <summary>The reply's half is missing: the next packet of the client makes it anew, or the sweep.</summary>
    ForwardOnly,

    /// <summary>The client's half is missing.</summary>
    ReplyOnly,
}

public enum FlowState
{
    /// <summary>TCP: opened by the client, not answered.</summary>
    SynSent = 0,

    /// <summary>TCP: answered, the answer not acknowledged.</summary>
    SynReceived,

    Established,

    /// <summary>TCP: one side has ended.</summary>
    FinWait,

    /// <summary>Both sides have, of TCP or SCTP.</summary>
    Closing,

    /// <summary>One side has reset the connection, of TCP or SCTP, and said nothing since.</summary>
    Reset,

    /// <summary>Packets of the client only: of UDP and SCTP, or of a TCP connection whose beginning was not seen.</summary>
    Unreplied,

    /// <summary>UDP and SCTP: packets of both sides.</summary>
    Replied,
}
