// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Inspection;

/// <summary>Joins the halves: one look-up for each, by the key that the other half must have.</summary>
internal sealed class FlowReader(
    IReadOnlyCollection<KeyValuePair<ConntrackKey, ConntrackValue>> entries, BackendNames names, SettingsValue settings, ulong nowNs)
{
    private const int ClockShift = 20;
    private const ConntrackFlags Traits = ConntrackFlags.Local | ConntrackFlags.PickedUp | ConntrackFlags.Internal;

    private readonly uint _now = (uint)(nowNs >> ClockShift);

    public IReadOnlyList<FlowView> Read(Func<FlowView, bool> isWanted)
    {
        // An entry that a program makes anew while the map is read may come twice.
        var halves = new Dictionary<ConntrackKey, ConntrackValue>(entries.Count);
        foreach (var (key, value) in entries)
            halves[key] = value;

        var flows = new List<FlowView>();
        foreach (var (key, value) in halves)
        {
            bool isReply = value.Flags.HasFlag(ConntrackFlags.Reply);
            var other = FindOther(halves, key, value);
            if (isReply && other is not null)
                continue;

            var flow = isReply ? Flow(Reverse(key, value), null, value) : Flow((key, value), value, other);
            if (isWanted(flow))
                flows.Add(flow);
        }

        flows.Sort(Compare);
        return flows;
    }

    private static int Compare(FlowView left, FlowView right)
    {
        int order = left.Client.CompareTo(right.Client);
        if (order == 0)
            order = left.Frontend.CompareTo(right.Frontend);
        if (order == 0)
            order = left.Protocol.CompareTo(right.Protocol);
        if (order == 0)
            order = left.Backend.CompareTo(right.Backend);
        if (order == 0)
            order = Nullable.Compare(left.Snat, right.Snat);
        return order != 0 ? order : left.Halves.CompareTo(right.Halves);
    }

    // The halves of a flow name each other. One that names a half which names a third is alone.
    private static ConntrackValue? FindOther(
        Dictionary<ConntrackKey, ConntrackValue> halves, in ConntrackKey key, in ConntrackValue value)
    {
        var otherKey = KeyOfOther(key.Protocol, value);
        return halves.TryGetValue(otherKey, out var other)
            && ((other.Flags ^ value.Flags) & ConntrackFlags.Reply) != 0
            && KeyOfOther(key.Protocol, other) == key
                ? other
                : null;
    }

    private static ConntrackKey KeyOfOther(Protocol protocol, in ConntrackValue value) => new()
    {
        Source = value.Destination,
        SourcePort = value.DestinationPort,
        Destination = value.Source,
        DestinationPort = value.SourcePort,
        Protocol = protocol,
        Side = value.Flags.HasFlag(ConntrackFlags.OtherEgress) ? Side.Egress : Side.Ingress,
    };

    // Of a reply: what the client's half has, or would have if it were there.
    private static (ConntrackKey Key, ConntrackValue Value) Reverse(in ConntrackKey key, in ConntrackValue value) => (
        KeyOfOther(key.Protocol, value),
        value with
        {
            Source = key.Destination,
            SourcePort = key.DestinationPort,
            Destination = key.Source,
            DestinationPort = key.SourcePort,
        });

    private FlowView Flow((ConntrackKey Key, ConntrackValue Value) translation, in ConntrackValue? forward, in ConntrackValue? reply)
    {
        var (key, value) = translation;
        var client = new AddressPort(key.Source, key.SourcePort.Value);
        var snat = new AddressPort(value.Source, value.SourcePort.Value);
        var state = StateOf(key.Protocol, forward?.Flags, reply?.Flags);
        uint age = Math.Min(forward is { } there ? Age(there) : uint.MaxValue, reply is { } back ? Age(back) : uint.MaxValue);
        var seenAgo = TimeSpan.FromTicks(((long)age << ClockShift) / TimeSpan.NanosecondsPerTick);
        var timeout = Timeout(key.Protocol, state, forward?.Flags, reply?.Flags);
        var left = timeout - seenAgo;
        return new FlowView(
            key.Protocol, client, new AddressPort(key.Destination, key.DestinationPort.Value),
            new AddressPort(value.Destination, value.DestinationPort.Value), snat == client ? null : snat,
            forward is null ? FlowHalves.ReplyOnly : reply is null ? FlowHalves.ForwardOnly : FlowHalves.Both,
            state, value.Flags & Traits, value.BackendId, names.Find(value.BackendId)?.ServiceName ?? "",
            seenAgo, left < TimeSpan.Zero ? TimeSpan.Zero : left, Count(forward), Count(reply));
    }

    private static CountValue? Count(in ConntrackValue? half) =>
        half is { } value ? new CountValue { Packets = value.Packets, Bytes = value.Bytes } : null;

    // The clock of 32 bits wraps. A program may have used the entry since it was read.
    private uint Age(in ConntrackValue half)
    {
        int age = (int)(_now - half.Seen);
        return age < 0 ? 0 : (uint)age;
    }

    // As the sweep has it.
    private TimeSpan? Timeout(Protocol protocol, FlowState state, ConntrackFlags? forward, ConntrackFlags? reply)
    {
        var there = forward ?? ConntrackFlags.None;
        var back = reply ?? ConntrackFlags.None;
        uint seconds = (protocol, state) switch
        {
            (Protocol.Udp, _) => settings.UdpSeconds,
            (_, FlowState.Closing or FlowState.Reset) => settings.TcpClosedSeconds,
            (Protocol.Sctp, _) => settings.SctpSeconds,
            _ when !IsAssured(forward, back) => settings.TcpSynSeconds,
            _ when ((there | back) & ConntrackFlags.Fin) != 0 => settings.TcpFinSeconds,
            _ => settings.TcpEstablishedSeconds,
        };
        return seconds == 0 ? null : TimeSpan.FromSeconds(seconds);
    }

    // Of a half that is missing the other one tells; a connection that was picked up began with what anybody can send.
    private static bool IsAssured(ConntrackFlags? forward, ConntrackFlags back) =>
        (forward is { } there && !there.HasFlag(ConntrackFlags.PickedUp) ? there : back).HasFlag(ConntrackFlags.Data);

    private static FlowState StateOf(Protocol protocol, ConntrackFlags? forward, ConntrackFlags? reply)
    {
        var there = forward ?? ConntrackFlags.None;
        var back = reply ?? ConntrackFlags.None;
        if (((there | back) & ConntrackFlags.Rst) != 0)
            return FlowState.Reset;
        // A half that is missing says nothing against the end of the other.
        if (((forward ?? ConntrackFlags.Fin) & (reply ?? ConntrackFlags.Fin) & ConntrackFlags.Fin) != 0)
            return FlowState.Closing;

        bool answered = (back & (ConntrackFlags.Syn | ConntrackFlags.Data)) != 0;
        if (protocol != Protocol.Tcp)
            return answered ? FlowState.Replied : FlowState.Unreplied;

        // What a half that is missing has seen can only be told by the other: nobody goes on before the handshake is through.
        bool acknowledged = forward is null ? back.HasFlag(ConntrackFlags.Data) : there.HasFlag(ConntrackFlags.Data);
        if (!acknowledged)
            return answered ? FlowState.SynReceived : FlowState.SynSent;
        if (((there | back) & ConntrackFlags.Fin) != 0)
            return FlowState.FinWait;

        return answered || reply is null ? FlowState.Established : FlowState.Unreplied;
    }
}
