// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.Packets.Tests.Ground;
using EbpfLb.Packets.Tests.Packets;

namespace EbpfLb.Packets.Tests;

/// <summary>Packets nobody thought of, against the reference, byte for byte.</summary>
public sealed class RandomTests(PacketGround ground) : PacketTest(ground)
{
    private const int PacketsPerRow = 250;
    private const ushort NodePort = 30080;

    [PrivilegedTheory]
    [EachHook(1)]
    [EachHook(2)]
    [EachHook(3)]
    [EachHook(4)]
    [EachHook(5)]
    [EachHook(6)]
    [EachHook(7)]
    [EachHook(8)]
    [EachHook(9)]
    [EachHook(10)]
    public void S35_Random_packets_become_what_the_reference_says(Hook hook, AddressFamily family, int seed)
    {
        PutServices(family);
        var random = new Random(seed);
        for (int i = 0; i < PacketsPerRow; i++)
            Judge(hook, RandomPacket(random, family));
    }

    [PrivilegedTheory]
    [EachHook(11)]
    [EachHook(12)]
    [EachHook(13)]
    [EachHook(14)]
    public void S36_The_answer_to_whatever_was_translated_is_its_mirror(Hook hook, AddressFamily family, int seed)
    {
        PutServices(family);
        var random = new Random(seed);
        int answered = 0;
        for (int i = 0; i < PacketsPerRow; i++)
        {
            var question = RandomPacket(random, family);
            var sent = Judge(hook, question);
            var asked = ParsedPacket.OfFrame(question.ToBytes())!;
            var seen = ParsedPacket.OfFrame(sent.Bytes);
            if (sent.Fate == Fate.Drop || seen is null
                || !World.Services.SelectMany(service => service.Backends).Any(backend => backend.Address == seen.Destination))
                continue;

            Layer4 content = asked.Protocol switch
            {
                Layer4.Tcp => Segment(TcpFlags.Ack, random.Next(300)),
                Layer4.Udp => new UdpDatagram(0, 0) { Payload = Bytes(random.Next(300), i) },
                _ => new SctpPacket(0, 0) { ChunkType = SctpPacket.Data },
            };
            var mirrored = ParsedPacket.OfFrame(JudgeAnswer(hook, sent, content).Bytes)!;
            Assert.Equal(Rewrite.TupleOf(asked).Reversed, Rewrite.TupleOf(mirrored));
            Assert.Empty(mirrored.WrongSums());
            answered++;
        }

        Assert.InRange(answered, PacketsPerRow / 4, PacketsPerRow);
    }

    private void PutServices(AddressFamily family)
    {
        var plan = AddressPlan.Of(family);
        uint octet = 11;
        foreach (var protocol in new[] { Protocol.Tcp, Protocol.Udp, Protocol.Sctp })
        {
            World.Put(new ServiceSpec(
                $"everywhere {protocol}", protocol,
                [
                    new FrontendOf(plan.Vip(1), 80, FrontendFlags.LoadBalancer), new FrontendOf(plan.Vip(2), 80, FrontendFlags.ExternalIP),
                    new FrontendOf(plan.Wildcard, NodePort, FrontendFlags.NodePort),
                    new FrontendOf(plan.ClusterIP(1), 80, FrontendFlags.ClusterIP),
                ],
                [Backend(Where.Local), Backend(Where.Remote), Backend(Where.Far), Backend(Where.Remote), Backend(Where.Local)]));
            World.Put(new ServiceSpec(
                $"local {protocol}", protocol, [new FrontendOf(plan.Vip(1), 81, FrontendFlags.LoadBalancer)],
                [Backend(Where.Local), Backend(Where.Remote) with { Lists = BackendFlags.InCluster }])
            { Flags = ServiceFlags.HasEndpoints | ServiceFlags.ExternalLocal });
            World.Put(new ServiceSpec(
                $"elsewhere {protocol}", protocol, [new FrontendOf(plan.Vip(1), 82, FrontendFlags.LoadBalancer)],
                [Backend(Where.Remote) with { Lists = BackendFlags.InCluster }])
            { Flags = ServiceFlags.HasEndpoints | ServiceFlags.ExternalLocal });
            World.Put(new ServiceSpec(
                $"nowhere {protocol}", protocol, [new FrontendOf(plan.Vip(1), 83, FrontendFlags.LoadBalancer)], [])
            { Flags = ServiceFlags.None });
            World.Put(new ServiceSpec(
                $"guarded {protocol}", protocol, [new FrontendOf(plan.Vip(3), 80, FrontendFlags.LoadBalancer)],
                [Backend(Where.Remote), Backend(Where.Far)])
            { SourceRanges = [(plan.Client(0), plan.IsIPv6 ? 122 : 26)] });
        }

        BackendSpec Backend(Where where) => new(PodAt(family, where, (int)octet++), BackendPort, where == Where.Local);
    }

    private Packet RandomPacket(Random random, AddressFamily family)
    {
        var plan = AddressPlan.Of(family);
        Address[] destinations =
        [
            plan.Vip(1), plan.Vip(1), plan.Vip(1), plan.Vip(2), plan.Vip(2), plan.Vip(3), plan.Node, plan.Node, plan.SecondNode,
            plan.QuietNode,
            plan.ClusterIP(1), plan.Client(250),
        ];
        var destination = destinations[random.Next(destinations.Length)];
        ushort[] ports = destination == plan.Node || destination == plan.SecondNode || destination == plan.QuietNode
            ? [NodePort, NodePort, NodePort, 22]
            : destination == plan.ClusterIP(1) ? [80] : [80, 80, 80, 80, 81, 82, 83, 84];
        ushort port = ports[random.Next(ports.Length)];
        ushort from = (ushort)random.Next(1, 65536);
        byte[] payload = Bytes(random.Next(4) == 0 ? random.Next(4) : random.Next(1200), random.Next());
        TcpFlags[] flags = [TcpFlags.Syn, TcpFlags.Syn, TcpFlags.Ack, TcpFlags.Psh | TcpFlags.Ack, TcpFlags.Fin | TcpFlags.Ack,
            TcpFlags.Rst];
        Layer4 content = random.Next(5) switch
        {
            0 or 1 => new TcpSegment(from, port, flags[random.Next(flags.Length)])
            {
                Payload = payload,
                Sequence = (uint)random.NextInt64(1L << 32),
                Acknowledgement = (uint)random.NextInt64(1L << 32),
                Options = random.Next(2) == 0 ? [] : [2, 4, 5, 0xb4, 4, 2, 1, 1],
            },
            2 or 3 => new UdpDatagram(from, port)
            {
                Payload = payload,
                Sum = family == AddressFamily.IPv4 && random.Next(8) == 0 ? Sum.Zero : Sum.Right,
            },
            _ => new SctpPacket(from, port) { Payload = payload[..(payload.Length / 4 * 4)], VerificationTag = (uint)random.Next() },
        };
        var packet = Arriving(new Packet(plan.Client(random.Next(1, 120)), destination, content)) with
        {
            Ttl = (byte)random.Next(2, 256),
            Tos = (byte)random.Next(256),
            FlowLabel = (uint)random.Next(1 << 20),
            Id = (ushort)random.Next(65536),
            DontFragment = random.Next(2) == 0,
            Trailer = random.Next(4) == 0 ? Bytes(random.Next(20)) : [],
        };
        if (random.Next(4) != 0)
            return packet;

        return family == AddressFamily.IPv6
            ? packet with { Extensions = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => RandomExtension(random))] }
            : packet with { Options = [.. Enumerable.Repeat((byte)1, 4 * random.Next(1, 11))] };
    }

    private static Extension RandomExtension(Random random) => random.Next(3) switch
    {
        0 => Extension.Routing,
        1 => Extension.Authentication,
        _ => Extension.Destination,
    };
}
