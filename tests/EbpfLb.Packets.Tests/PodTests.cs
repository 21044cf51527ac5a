// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.Packets.Tests.Ground;
using EbpfLb.Packets.Tests.Packets;
using EbpfLb.Packets.Tests.Reference;

namespace EbpfLb.Packets.Tests;

/// <summary>What comes out of a pod, and what goes to one.</summary>
public sealed class PodTests(PacketGround ground) : PacketTest(ground)
{
    [PrivilegedTheory]
    [InlineData(AddressFamily.IPv4, Protocol.Tcp)]
    [InlineData(AddressFamily.IPv4, Protocol.Udp)]
    [InlineData(AddressFamily.IPv6, Protocol.Tcp)]
    [InlineData(AddressFamily.IPv6, Protocol.Udp)]
    public void A_pod_reaches_a_ClusterIP_and_keeps_its_address(AddressFamily family, Protocol protocol)
    {
        var plan = AddressPlan.Of(family);
        World.Put(new ServiceSpec(
            "web", protocol, [new FrontendOf(plan.ClusterIP(5), ServicePort, FrontendFlags.ClusterIP)], Backends(family, Where.Local)));
        var packet = FromPod(family, Content(protocol)) with { Destination = plan.ClusterIP(5) };
        byte[] frame = packet.ToBytes();
        var result = Run(Hook.TcPod, frame, Ground.Pod);
        Assert.Equal(Fate.Pass, result.Fate);
        var to = new Rewrite.Tuple(plan.LocalPod(50), ClientPort, plan.LocalPod(11), BackendPort);
        ReferenceDatapath.AssertSame(Rewrite.Apply(ParsedPacket.OfFrame(frame)!, to), result.Bytes);

        // The answer goes to the pod's device.
        var answer = new Packet(plan.LocalPod(11), plan.LocalPod(50), Answer(protocol)).Via(
            PacketGround.Mac("02:00:00:00:01:99"), Ground.Pod.Mac);
        byte[] answerFrame = answer.ToBytes();
        var seen = Run(Hook.TcEgress, answerFrame, Ground.Pod);
        Assert.Equal(Fate.Pass, seen.Fate);
        var back = new Rewrite.Tuple(plan.ClusterIP(5), ServicePort, plan.LocalPod(50), ClientPort);
        ReferenceDatapath.AssertSame(Rewrite.Apply(ParsedPacket.OfFrame(answerFrame)!, back), seen.Bytes);
    }

    [PrivilegedTheory]
    [InlineData(AddressFamily.IPv4)]
    [InlineData(AddressFamily.IPv6)]
    public void S15_A_pod_takes_the_short_way_to_a_service_of_policy_Local(AddressFamily family)
    {
        var plan = AddressPlan.Of(family);
        World.Put(new ServiceSpec(
            "web", Protocol.Tcp, [Frontend(family)],
            [.. Backends(family, Where.Remote).Select(backend => backend with { Lists = BackendFlags.InCluster })])
        {
            Flags = ServiceFlags.HasEndpoints | ServiceFlags.ExternalLocal,
        });
        var result = Run(Hook.TcPod, FromPod(family, Content(Protocol.Tcp)), Ground.Pod);
        Assert.NotEqual(Fate.Drop, result.Fate);
        Assert.Equal(plan.RemotePod(11), ParsedPacket.OfFrame(result.Bytes)!.Destination);
        Assert.Empty(ParsedPacket.OfFrame(result.Bytes)!.WrongSums());
    }

    [PrivilegedTheory]
    [InlineData(AddressFamily.IPv4)]
    [InlineData(AddressFamily.IPv6)]
    public void S21_Source_ranges_hold_for_pods_too(AddressFamily family)
    {
        var plan = AddressPlan.Of(family);
        World.Put(new ServiceSpec("web", Protocol.Tcp, [Frontend(family)], Backends(family, Where.Local))
        {
            SourceRanges = [(plan.Client(0), plan.IsIPv6 ? 64 : 24)],
        });
        ExpectDrop(Hook.TcPod, FromPod(family, Content(Protocol.Tcp)), Reason.SourceRange, Ground.Pod);
    }

    [PrivilegedTheory]
    [InlineData(AddressFamily.IPv4, Protocol.Tcp)]
    [InlineData(AddressFamily.IPv4, Protocol.Udp)]
    [InlineData(AddressFamily.IPv6, Protocol.Tcp)]
    [InlineData(AddressFamily.IPv6, Protocol.Udp)]
    public void S5_S17_A_pod_is_refused_what_nobody_serves(AddressFamily family, Protocol protocol)
    {
        World.Put(new ServiceSpec("web", protocol, [Frontend(family)], []) { Flags = ServiceFlags.None });
        ExpectAnswer(Hook.TcPod, FromPod(family, Content(protocol)), Reason.RefusedNoEndpoint, Answers.CheckRefusal, Ground.Pod);
        var other = FromPod(family, Content(protocol)) with { Destination = AddressPlan.Of(family).Vip(2) };
        World.Put(new ServiceSpec("web", protocol, [new FrontendOf(AddressPlan.Of(family).Vip(2), 1, FrontendFlags.ClusterIP)], []));
        ExpectAnswer(Hook.TcPod, other, Reason.RefusedNoPort, Answers.CheckRefusal, Ground.Pod);
        // An external address may be a host's as well.
        World.Put(new ServiceSpec("web", protocol, [new FrontendOf(AddressPlan.Of(family).Vip(3), 1, FrontendFlags.ExternalIP)], []));
        ExpectUnchanged(Hook.TcPod, other with { Destination = AddressPlan.Of(family).Vip(3) }, device: Ground.Pod);
    }

    [PrivilegedTheory]
    [InlineData(AddressFamily.IPv4)]
    [InlineData(AddressFamily.IPv6)]
    public void S6_Nothing_of_the_service_range_leaves_a_pod(AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Local);
        var packet = FromPod(family, Content(Protocol.Udp)) with { Destination = AddressPlan.Of(family).Unallocated };
        ExpectDrop(Hook.TcPod, packet, Reason.Unallocated, Ground.Pod);
    }

    [PrivilegedTheory]
    [InlineData(AddressFamily.IPv4)]
    [InlineData(AddressFamily.IPv6)]
    public void What_a_pod_sends_elsewhere_passes_untouched(AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Local);
        var plan = AddressPlan.Of(family);
        ExpectUnchanged(Hook.TcPod, FromPod(family, Content(Protocol.Udp)) with { Destination = plan.Client(1) }, device: Ground.Pod);
        ExpectUnchanged(Hook.TcPod, FromPod(family, Content(Protocol.Udp)) with { Destination = plan.RemotePod(1) }, device: Ground.Pod);
        ExpectUnchanged(Hook.TcEgress, FromPod(family, Content(Protocol.Udp)) with { Destination = plan.Client(1) });
    }

    [PrivilegedTheory]
    [InlineData(AddressFamily.IPv4, Protocol.Tcp)]
    [InlineData(AddressFamily.IPv4, Protocol.Udp)]
    [InlineData(AddressFamily.IPv6, Protocol.Tcp)]
    [InlineData(AddressFamily.IPv6, Protocol.Udp)]
    public void S7_A_pod_that_is_its_own_backend_hears_the_service(AddressFamily family, Protocol protocol)
    {
        var plan = AddressPlan.Of(family);
        World.Put(new ServiceSpec("web", protocol, [Frontend(family)], [new BackendSpec(plan.LocalPod(50), BackendPort, true)]));
        World.PutDevice(Ground.Pod with { SourceV4 = AddressPlan.IPv4.Node, SourceV6 = AddressPlan.IPv6.Node }, DeviceFlags.Attached);
        byte[] frame = FromPod(family, Content(protocol)).ToBytes();
        var result = Run(Hook.TcPod, frame, Ground.Pod);
        Assert.Equal(Fate.Redirect, result.Fate);
        var seen = Rewrite.TupleOf(ParsedPacket.OfFrame(result.Bytes)!);
        Assert.Equal((plan.Node, plan.LocalPod(50), BackendPort), (seen.Source, seen.Destination, seen.DestinationPort));
        ReferenceDatapath.AssertSame(Rewrite.Apply(ParsedPacket.OfFrame(frame)!, seen, ttlLess: 1, MacsOf(result.Bytes)), result.Bytes);

        Layer4 content = Answer(protocol) switch
        {
            TcpSegment tcp => tcp with { DestinationPort = seen.SourcePort },
            UdpDatagram udp => udp with { DestinationPort = seen.SourcePort },
            var other => other,
        };
        byte[] answer = (FromPod(family, content) with { Destination = plan.Node }).ToBytes();
        var back = Run(Hook.TcPod, answer, Ground.Pod);
        Assert.Equal(Fate.Redirect, back.Fate);
        var to = new Rewrite.Tuple(plan.Vip(1), ServicePort, plan.LocalPod(50), ClientPort);
        ReferenceDatapath.AssertSame(Rewrite.Apply(ParsedPacket.OfFrame(answer)!, to, ttlLess: 1, MacsOf(back.Bytes)), back.Bytes);
    }

    // Of the route, or as they were while the kernel is asked for the neighbour: where a frame goes is shown elsewhere.
    private static (MacAddress Destination, MacAddress Source) MacsOf(byte[] frame) => (new(frame), new(frame.AsSpan(MacAddress.Length)));

    private static Layer4 Answer(Protocol protocol) => protocol == Protocol.Tcp
        ? new TcpSegment(BackendPort, ClientPort, TcpFlags.Syn | TcpFlags.Ack)
        : new UdpDatagram(BackendPort, ClientPort) { Payload = Bytes(20) };

    private Packet FromPod(AddressFamily family, Layer4 content)
    {
        var plan = AddressPlan.Of(family);
        return new Packet(plan.LocalPod(50), plan.Vip(1), content).Via(Ground.Pod.Mac, PacketGround.Mac("02:00:00:00:01:99"));
    }
}
