// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.Packets.Tests.Packets;
using EbpfLb.Packets.Tests.Reference;

namespace EbpfLb.Packets.Tests.Ground;

[CollectionDefinition(Name)]
public sealed class GroundCollection : ICollectionFixture<PacketGround>
{
    internal const string Name = "ground";
}

/// <summary>Where a backend runs.</summary>
public enum Where
{
    /// <summary>On this node.</summary>
    Local,

    /// <summary>On a node beyond the device that clients come in by.</summary>
    Remote,

    /// <summary>On a node beyond the other device.</summary>
    Far,
}

/// <summary>A world of its own for each test, and the words tests are told in.</summary>
[Collection(GroundCollection.Name)]
public abstract class PacketTest
{
    internal const ushort ServicePort = 80;
    internal const ushort BackendPort = 8080;
    internal const ushort ClientPort = 40001;

    protected PacketTest(PacketGround ground)
    {
        Ground = ground;
        // Without root every test is skipped, and there is no ground.
        World = ground.IsUp ? new World(ground) : null!;
        Reference = new ReferenceDatapath(World);
    }

    internal PacketGround Ground { get; }

    internal World World { get; }

    internal ReferenceDatapath Reference { get; }

    /// <summary>A load balancer address whose backends run there: Vip(1), port 80.</summary>
    internal ServiceSpec Serve(AddressFamily family, Protocol protocol, params Where[] places) =>
        World.Put(new ServiceSpec("web", protocol, [Frontend(family)], Backends(family, places)));

    internal static FrontendOf Frontend(AddressFamily family) =>
        new(AddressPlan.Of(family).Vip(1), ServicePort, FrontendFlags.LoadBalancer);

    internal static BackendSpec[] Backends(AddressFamily family, params Where[] places) =>
        [.. places.Select((place, i) => new BackendSpec(PodAt(family, place, 11 + i), BackendPort, place == Where.Local))];

    internal static Address PodAt(AddressFamily family, Where place, int n) => place switch
    {
        Where.Local => AddressPlan.Of(family).LocalPod(n),
        Where.Remote => AddressPlan.Of(family).RemotePod(n),
        _ => AddressPlan.Of(family).FarPod(n),
    };

    /// <summary>From client 10 to Vip(1):80, as the router hands it to the node.</summary>
    internal Packet FromClient(AddressFamily family, Layer4 content)
    {
        var plan = AddressPlan.Of(family);
        return Arriving(new Packet(plan.Client(10), plan.Vip(1), content));
    }

    internal Packet Arriving(Packet packet) => packet.Via(Ground.Up0.Mac, Ground.Router);

    internal static Layer4 Content(
        Protocol protocol, ushort sourcePort = ClientPort, TcpFlags flags = TcpFlags.Syn, byte[]? payload = null) => protocol switch
        {
            Protocol.Tcp => new TcpSegment(sourcePort, ServicePort, flags) { Payload = payload ?? [] },
            Protocol.Udp => new UdpDatagram(sourcePort, ServicePort) { Payload = payload ?? "a datagram"u8.ToArray() },
            _ => new SctpPacket(sourcePort, ServicePort) { ChunkType = flags == TcpFlags.Syn ? SctpPacket.Init : SctpPacket.InitAck },
        };

    internal static TcpSegment Segment(TcpFlags flags, int payload = 0, ushort sourcePort = ClientPort) =>
        new(sourcePort, ServicePort, flags) { Acknowledgement = flags.HasFlag(TcpFlags.Ack) ? 0x0a0b0c0du : 0, Payload = Bytes(payload) };

    internal static byte[] Bytes(int count, int seed = 7)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    internal PacketResult Run(Hook hook, Packet packet, GroundDevice? device = null) => Run(hook, packet.ToBytes(), device);

    internal PacketResult Run(Hook hook, byte[] frame, GroundDevice? device = null)
    {
        var result = PacketRunner.Run(Ground, hook, device ?? Ground.Up0, frame);
        Assert.NotEqual(Fate.Broken, result.Fate);
        return result;
    }

    /// <summary>Runs it and holds what came out against the reference.</summary>
    internal PacketResult Judge(Hook hook, Packet packet, GroundDevice? device = null) => Judge(hook, packet.ToBytes(), device);

    internal PacketResult Judge(Hook hook, byte[] frame, GroundDevice? device = null)
    {
        var before = World.AllCounts(hook);
        var result = Run(hook, frame, device);
        var reason = Reference.Check(hook, device ?? Ground.Up0, frame, result);
        AssertCounted(hook, before, reason);
        return result;
    }

    /// <summary>What the backend says to a packet that was sent to it, run where it comes back.</summary>
    internal PacketResult JudgeAnswer(Hook hook, PacketResult sent, Layer4 content)
    {
        var (packet, at, device) = AnswerTo(hook, sent, content);
        return Judge(at, packet, device);
    }

    /// <summary>The frame with which a backend answers a translated packet, and the hook and device at which it comes by.</summary>
    internal (Packet Packet, Hook Hook, GroundDevice Device) AnswerTo(Hook hook, PacketResult sent, Layer4 content)
    {
        var tuple = ReferenceDatapath.AnswerTo(sent.Bytes);
        content = content switch
        {
            TcpSegment tcp => tcp with { SourcePort = tuple.SourcePort, DestinationPort = tuple.DestinationPort },
            UdpDatagram udp => udp with { SourcePort = tuple.SourcePort, DestinationPort = tuple.DestinationPort },
            SctpPacket sctp => sctp with { SourcePort = tuple.SourcePort, DestinationPort = tuple.DestinationPort },
            _ => content,
        };
        var packet = new Packet(tuple.Source, tuple.Destination, content);
        if (sent.Fate == Fate.Pass)
            return (packet.Via(Ground.Router, Ground.Up0.Mac), Hook.TcEgress, Ground.Up0);

        var (device, neighbour) = Ground.RouteTo(tuple.Source)!.Value;
        return (packet.Via(device.Mac, neighbour), hook, device);
    }

    internal void ExpectUnchanged(Hook hook, Packet packet, Reason? reason = null, GroundDevice? device = null) =>
        ExpectUnchanged(hook, packet.ToBytes(), reason, device);

    /// <summary>Passed as it came, counted under that reason or none, and no flow began.</summary>
    internal void ExpectUnchanged(Hook hook, byte[] frame, Reason? reason = null, GroundDevice? device = null)
    {
        var (before, flows) = (World.AllCounts(hook), World.Flows);
        var result = Run(hook, frame, device);
        Assert.Equal(Fate.Pass, result.Fate);
        ReferenceDatapath.AssertSame(frame, result.Bytes);
        AssertCounted(hook, before, reason);
        Assert.Equal(flows, World.Flows);
    }

    internal void ExpectDrop(Hook hook, Packet packet, Reason reason, GroundDevice? device = null) =>
        ExpectDrop(hook, packet.ToBytes(), reason, device);

    internal void ExpectDrop(Hook hook, byte[] frame, Reason reason, GroundDevice? device = null)
    {
        var (before, flows) = (World.AllCounts(hook), World.Flows);
        var result = Run(hook, frame, device);
        Assert.Equal(Fate.Drop, result.Fate);
        AssertCounted(hook, before, reason);
        Assert.Equal(flows, World.Flows);
    }

    /// <summary>Dropped for one of these, or passed as it came: where either is safe.</summary>
    internal void ExpectDropOrUnchanged(Hook hook, Packet packet, params Reason[] reasons) =>
        ExpectDropOrUnchanged(hook, packet.ToBytes(), reasons);

    internal void ExpectDropOrUnchanged(Hook hook, byte[] frame, params Reason[] reasons)
    {
        var (before, flows) = (World.AllCounts(hook), World.Flows);
        var result = Run(hook, frame);
        Assert.Equal(flows, World.Flows);
        if (result.Fate == Fate.Pass)
        {
            ReferenceDatapath.AssertSame(frame, result.Bytes);
            return;
        }

        Assert.Equal(Fate.Drop, result.Fate);
        Assert.Contains(Difference(before, World.AllCounts(hook)), reasons.Contains);
    }

    /// <summary>At tc an answer, which the caller looks at; XDP leaves it to tc.</summary>
    internal void ExpectAnswer(
        Hook hook, Packet packet, Reason reason, Action<ParsedPacket, PacketResult> check, GroundDevice? device = null)
    {
        if (hook == Hook.Xdp)
        {
            ExpectUnchanged(hook, packet, Reason.HandedDown, device);
            return;
        }

        byte[] frame = packet.ToBytes();
        var before = World.AllCounts(hook);
        var result = Run(hook, frame, device);
        check(ParsedPacket.OfFrame(frame)!, result);
        AssertCounted(hook, before, reason);
    }

    private static void AssertCounted(Hook hook, ulong[] before, Reason? reason, World world)
    {
        var counted = Difference(before, world.AllCounts(hook));
        Assert.Equal(reason is { } expected ? [expected] : Array.Empty<Reason>(), counted);
    }

    private void AssertCounted(Hook hook, ulong[] before, Reason? reason) => AssertCounted(hook, before, reason, World);

    private static Reason[] Difference(ulong[] before, ulong[] after) =>
        [.. before.Zip(after).SelectMany((pair, i) => Enumerable.Repeat((Reason)i, (int)(pair.Second - pair.First)))];
}
