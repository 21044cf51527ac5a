// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.Packets.Tests.Ground;
using EbpfLb.Packets.Tests.Packets;
using Tuple = EbpfLb.Packets.Tests.Packets.Rewrite.Tuple;

namespace EbpfLb.Packets.Tests.Reference;

/// <summary>
/// The packet path said plainly: what must become of a well-formed packet in a <see cref="World"/>. It keeps flows of its own and knows no
/// hash: which backend and which source port, it takes from what came out, and holds against the lists and ranges. All else it computes.
/// </summary>
internal sealed class ReferenceDatapath(World world)
{
    private readonly Dictionary<(Side Side, byte Protocol, Tuple Tuple), (Flow Flow, bool IsReply)> _flows = [];

    /// <summary>One direction of it as it arrives, and as it goes on.</summary>
    private sealed record Flow(byte Protocol, Tuple Client, Tuple Onward, ServiceSpec Service, BackendSpec Backend)
    {
        /// <summary>One packet has been seen.</summary>
        public bool IsOpening { get; set; }

        public long BeganAt { get; } = Stopwatch.GetTimestamp();

        /// <summary>After a second without an answer it may lose its port to another flow, and on a busy machine a test takes that long.</summary>
        public bool MayLoseItsPort => IsOpening && Stopwatch.GetElapsedTime(BeganAt) >= TimeSpan.FromMilliseconds(900);

        public TcpFlags OfClient { get; set; }

        public TcpFlags OfBackend { get; set; }

        /// <summary>Both ends have closed it, or one has reset it.</summary>
        public bool IsEnded => ((OfClient | OfBackend) & TcpFlags.Rst) != 0 || (OfClient & OfBackend & TcpFlags.Fin) != 0;
    }

    public void ForgetAll() => _flows.Clear();

    /// <summary>Flows that are alive.</summary>
    public int Flows => _flows.Count / 2;

    /// <summary>Judges what the hook did, and remembers the flow. The answer is the reason that must have been counted, if any.</summary>
    public Reason? Check(Hook hook, GroundDevice device, byte[] frame, PacketResult result)
    {
        var packet = ParsedPacket.OfFrame(frame);
        if (packet is null || (hook != Hook.TcEgress && new MacAddress(frame) != device.Mac) || !packet.HasPorts || packet.IsFragment)
            return Unchanged(frame, result, null);

        var side = hook == Hook.TcEgress ? Side.Egress : Side.Ingress;
        var tuple = Rewrite.TupleOf(packet);
        if (_flows.TryGetValue((side, packet.Protocol, tuple), out var known) && !MayBeginAnew(known.Flow, packet))
        {
            // Until the backend answers, or the client speaks again, a flow waits: an end ends nothing yet.
            if (!known.IsReply && known.Flow.IsOpening && IsEnd(packet))
                return Dropped(Reason.NoFlow, result);
            if (known.IsReply && hook == Hook.TcEgress && IsOpeningOf(packet) && known.Flow.IsEnded)
            {
                Forget(known.Flow);
                return Unchanged(frame, result, null);
            }

            known.Flow.IsOpening = false;
            return Established(hook, device, packet, known.Flow, known.IsReply, result);
        }

        if (hook == Hook.TcEgress)
            return Unchanged(frame, result, null);

        if (FindFrontend(packet) is not { } frontend)
        {
            if (!IsVip(packet.Destination) || IsNode(packet.Destination))
                return Unchanged(frame, result, null);
            if (IsEnd(packet))
                return Dropped(Reason.NoFlow, result);
            return Refused(hook, packet, Reason.RefusedNoPort, result);
        }

        return Begin(hook, device, packet, frontend.Service, frontend.Flags, result);
    }

    /// <summary>The other direction of a packet that was translated: as the backend answers, with the addresses it saw.</summary>
    public static Tuple AnswerTo(byte[] translated) => Rewrite.TupleOf(ParsedPacket.OfFrame(translated)!).Reversed;

    private static bool MayBeginAnew(Flow flow, ParsedPacket packet) =>
        flow.IsEnded && packet.Protocol == Layer4.Tcp && packet.TcpFlags.HasFlag(TcpFlags.Syn) && !packet.TcpFlags.HasFlag(TcpFlags.Ack)
        && Rewrite.TupleOf(packet) == flow.Client;

    // An answer of a backend that was dialled directly, from a port that has been a client's of the service.
    private static bool IsOpeningOf(ParsedPacket packet) => packet.Protocol == Layer4.Tcp && packet.TcpFlags.HasFlag(TcpFlags.Syn);

    private static bool IsEnd(ParsedPacket packet) =>
        packet.Protocol == Layer4.Tcp && (packet.TcpFlags & (TcpFlags.Rst | TcpFlags.Fin)) != 0;

    private (ServiceSpec Service, FrontendFlags Flags)? FindFrontend(ParsedPacket packet)
    {
        foreach (var service in world.Services.Where(service => (byte)service.Protocol == packet.Protocol))
        {
            foreach (var frontend in service.Frontends.Where(frontend => frontend.Port == packet.DestinationPort))
            {
                bool isNodePort = frontend.Flags.HasFlag(FrontendFlags.NodePort);
                if (!isNodePort && frontend.Address == packet.Destination)
                    return (service, frontend.Flags);
                if (isNodePort && frontend.Address.IsIPv4 == packet.Destination.IsIPv4 && AnswersNodePorts(packet.Destination))
                    return (service, frontend.Flags);
            }
        }

        return null;
    }

    private static bool AnswersNodePorts(Address address) =>
        new[] { AddressPlan.IPv4, AddressPlan.IPv6 }.Any(plan => address == plan.Node || address == plan.SecondNode);

    private static bool IsNode(Address address) =>
        AnswersNodePorts(address) || address == AddressPlan.IPv4.QuietNode || address == AddressPlan.IPv6.QuietNode;

    private bool IsVip(Address address) => world.Services
        .SelectMany(service => service.Frontends)
        .Any(frontend => !frontend.Flags.HasFlag(FrontendFlags.NodePort) && frontend.Address == address);

    private Reason? Begin(Hook hook, GroundDevice device, ParsedPacket packet, ServiceSpec service, FrontendFlags kind, PacketResult result)
    {
        bool fromWire = hook != Hook.TcPod;
        if (IsEnd(packet))
            return Dropped(Reason.NoFlow, result);
        if (hook == Hook.Xdp && packet.HasPartialSum())
            return Unchanged(packet.Bytes, result, Reason.HandedDown);
        if (kind.HasFlag(FrontendFlags.ClusterIP) && fromWire && !world.Settings.Flags.HasFlag(SettingFlags.ExternalClusterIPs))
            return Dropped(Reason.ClusterIP, result);
        if (kind.HasFlag(FrontendFlags.LoadBalancer) && service.SourceRanges.Length > 0 && !Admits(service, packet.Source))
            return Dropped(Reason.SourceRange, result);

        var local = kind.HasFlag(FrontendFlags.ClusterIP) ? ServiceFlags.InternalLocal : ServiceFlags.ExternalLocal;
        bool isLocal = service.Flags.HasFlag(local) && (fromWire || kind.HasFlag(FrontendFlags.ClusterIP));
        var list = isLocal ? BackendFlags.InLocal : BackendFlags.InCluster;
        var backends = service.Backends.Where(backend => backend.Lists.HasFlag(list)).ToArray();
        if (backends.Length == 0)
        {
            return isLocal && service.Flags.HasFlag(ServiceFlags.HasEndpoints)
                ? Dropped(Reason.NoLocalEndpoint, result)
                : Refused(hook, packet, Reason.RefusedNoEndpoint, result);
        }

        var output = Translated(result);
        var onward = Rewrite.TupleOf(output);
        var backend = backends.SingleOrDefault(
            candidate => candidate.Address == onward.Destination && candidate.Port == onward.DestinationPort);
        Assert.True(backend is not null, $"sent to {onward.Destination}:{onward.DestinationPort}, which no list has");
        CheckSource(packet, onward, backend);
        var flow = new Flow(packet.Protocol, Rewrite.TupleOf(packet), onward, service, backend) { IsOpening = !IsInTheMiddle(packet) };
        Forget(flow);
        Established(hook, device, packet, flow, isReply: false, result);
        _flows[(Side.Ingress, packet.Protocol, flow.Client)] = (flow, false);
        var replySide = backend.OnNode ? Side.Egress : Side.Ingress;
        if (_flows.TryGetValue((replySide, packet.Protocol, onward.Reversed), out var holder) && holder.Flow.MayLoseItsPort)
            Forget(holder.Flow);
        Assert.True(
            _flows.TryAdd((replySide, packet.Protocol, onward.Reversed), (flow, true)),
            $"answers of {onward.Destination}:{onward.DestinationPort} to {onward.Source}:{onward.SourcePort} would belong to two flows");
        return IsInTheMiddle(packet) ? Reason.PickedUp : Reason.NewFlow;
    }

    private void Forget(Flow flow)
    {
        if (_flows.Remove((Side.Ingress, flow.Protocol, flow.Client), out var old))
            _flows.Remove((old.Flow.Backend.OnNode ? Side.Egress : Side.Ingress, flow.Protocol, old.Flow.Onward.Reversed));
    }

    // A connection found in its middle may be one that another node began, whose backend knows the client by its own address.
    private void CheckSource(ParsedPacket packet, Tuple onward, BackendSpec backend)
    {
        var arrived = (packet.Source, packet.SourcePort);
        if (backend.OnNode || (IsInTheMiddle(packet) && onward.Source == packet.Source))
        {
            Assert.Equal(arrived, (onward.Source, onward.SourcePort));
            return;
        }

        var settings = world.Settings;
        Assert.InRange(onward.SourcePort, settings.SnatPortFirst, settings.SnatPortLast);
        var egress = world.Ground.RouteTo(backend.Address)!.Value.Device;
        Assert.Equal(egress.SourceOf(!backend.Address.IsIPv4), onward.Source);
    }

    private static bool IsInTheMiddle(ParsedPacket packet) => packet.Protocol == Layer4.Tcp && !packet.TcpFlags.HasFlag(TcpFlags.Syn);

    private Reason? Established(Hook hook, GroundDevice device, ParsedPacket packet, Flow flow, bool isReply, PacketResult result)
    {
        if (hook == Hook.Xdp && packet.HasPartialSum())
            return Unchanged(packet.Bytes, result, Reason.HandedDown);

        Note(flow, packet, isReply);
        var to = isReply ? flow.Client.Reversed : flow.Onward;
        if (flow.Backend.OnNode)
        {
            Assert.Equal(Fate.Pass, result.Fate);
            AssertSame(Rewrite.Apply(packet, to), result.Bytes);
            return null;
        }

        var (egress, nextHop) = world.Ground.RouteTo(to.Destination)!.Value;
        bool sameDevice = egress.Index == device.Index;
        Assert.Equal(hook == Hook.Xdp && sameDevice ? Fate.Transmit : Fate.Redirect, result.Fate);
        AssertSame(Rewrite.Apply(packet, to, ttlLess: 1, (nextHop, egress.Mac)), result.Bytes);
        return null;
    }

    // A reset holds until the same end speaks again.
    private static void Note(Flow flow, ParsedPacket packet, bool isReply)
    {
        if (packet.Protocol != Layer4.Tcp)
            return;

        var seen = isReply ? flow.OfBackend : flow.OfClient;
        seen = packet.TcpFlags.HasFlag(TcpFlags.Rst) ? seen | TcpFlags.Rst : (seen & ~TcpFlags.Rst) | (packet.TcpFlags & TcpFlags.Fin);
        if (isReply)
            flow.OfBackend = seen;
        else
            flow.OfClient = seen;
    }

    private static bool Admits(ServiceSpec service, Address source) => service.SourceRanges.Any(range =>
        System.Net.IPNetwork.Parse($"{range.Address}/{range.Bits}").Contains(source.ToIPAddress()));

    private static Reason? Refused(Hook hook, ParsedPacket packet, Reason reason, PacketResult result)
    {
        if (hook == Hook.Xdp)
            return Unchanged(packet.Bytes, result, Reason.HandedDown);

        Answers.CheckRefusal(packet, result);
        return reason;
    }

    private static ParsedPacket Translated(PacketResult result)
    {
        Assert.True(result.Fate is not (Fate.Drop or Fate.Broken), $"{result.Fate} where a flow should begin");
        var output = ParsedPacket.OfFrame(result.Bytes);
        Assert.True(output is { HasPorts: true }, "what came out is no packet with ports");
        return output!;
    }

    private static Reason? Dropped(Reason reason, PacketResult result)
    {
        Assert.Equal(Fate.Drop, result.Fate);
        return reason;
    }

    private static Reason? Unchanged(byte[] frame, PacketResult result, Reason? reason)
    {
        Assert.Equal(Fate.Pass, result.Fate);
        AssertSame(frame, result.Bytes);
        return reason;
    }

    /// <summary>Byte for byte, with the first difference in the message.</summary>
    internal static void AssertSame(byte[] expected, byte[] actual)
    {
        if (expected.AsSpan().SequenceEqual(actual))
            return;

        int at = expected.AsSpan().CommonPrefixLength(actual);
        Assert.Fail($"differs at byte {at}\nexpected {Convert.ToHexString(expected)}\nactual   {Convert.ToHexString(actual)}");
    }
}
