// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.Packets.Tests.Ground;
using EbpfLb.Packets.Tests.Packets;

namespace EbpfLb.Packets.Tests;

/// <summary>Frames from nowhere. The verifier proves that no program reads beyond the frame; here none may lose its way either.</summary>
public sealed class FuzzTests(PacketGround ground) : PacketTest(ground)
{
    private const string CountVariable = "EBPFLB_FUZZ_FRAMES";
    private const int DefaultFrames = 200_000;
    private const int MaxFrame = 1500;

    // A warning of the kernel, TAINT_WARN.
    private const long Warned = 1 << 9;

    private static int Frames => Environment.GetEnvironmentVariable(CountVariable) is { Length: > 0 } text
        ? int.Parse(text, CultureInfo.InvariantCulture)
        : DefaultFrames;

    [PrivilegedTheory]
    [InlineData(Hook.Xdp)]
    [InlineData(Hook.TcIngress)]
    [InlineData(Hook.TcEgress)]
    [InlineData(Hook.TcPod)]
    public void S68_Whatever_comes_gets_a_verdict(Hook hook)
    {
        byte[][] corpus = [.. PutWorlds().Select(packet => packet.ToBytes())];
        long taint = Taint();
        Ground.Inside(() => RunFrames(hook, corpus, Frames));
        Assert.Equal(taint & Warned, Taint() & Warned);
    }

    // What a run leaves behind must still be flows that the sweep and the other programs can take.
    [PrivilegedFact]
    public void S68_The_sweep_takes_whatever_flows_there_are()
    {
        byte[][] corpus = [.. PutWorlds().Select(packet => packet.ToBytes())];
        Ground.Inside(() => RunFrames(Hook.Xdp, corpus, 20_000));
        var random = new Random(5);
        World.ChangeConntrack((_, value) =>
            value with { Seen = value.Seen - (uint)random.Next(100_000), Flags = (ConntrackFlags)random.Next(0x1000) });
        World.Sweep();
        World.Age(10_000);
        World.Sweep();
        Assert.Empty(World.Conntrack);
    }

    private static long Taint() => long.Parse(File.ReadAllText("/proc/sys/kernel/tainted"), CultureInfo.InvariantCulture);

    private void RunFrames(Hook hook, byte[][] corpus, int count)
    {
        var program = PacketRunner.ProgramOf(Ground, hook);
        byte[] frame = new byte[MaxFrame];
        byte[] output = new byte[MaxFrame + 2048];
        byte[] context = PacketRunner.ContextOf(hook, Ground.Up0, 0);
        ulong state = 0x9e3779b97f4a7c15ul + (ulong)hook;
        for (int i = 0; i < count; i++)
        {
            int length = Make(corpus, frame, ref state);
            length = Math.Max(length, PacketRunner.ShortestFrame(hook, frame));
            if (hook == Hook.Xdp)
                PacketRunner.SetXdpLength(context, length);
            var result = program.TestRun(frame.AsSpan(0, length), output, context);
            if (PacketRunner.FateOf(hook, result.ReturnValue) == Fate.Broken)
                Assert.Fail($"frame {i} was answered {(int)result.ReturnValue}: {Convert.ToHexString(frame.AsSpan(0, length))}");
        }
    }

    private static int Make(byte[][] corpus, byte[] frame, ref ulong state)
    {
        ulong dice = Next(ref state);
        int length;
        if (dice % 8 == 0)
        {
            length = 15 + (int)(Next(ref state) % (MaxFrame - 15));
            for (int i = 0; i < length; i++)
                frame[i] = (byte)Next(ref state);
            // Else none of it would get past the first look.
            corpus[dice / 8 % (ulong)corpus.Length].AsSpan(0, 14).CopyTo(frame);
            return length;
        }

        byte[] valid = corpus[dice / 8 % (ulong)corpus.Length];
        valid.CopyTo(frame, 0);
        length = valid.Length;
        int changes = (int)(Next(ref state) % 5);
        for (int i = 0; i < changes; i++)
        {
            ulong what = Next(ref state);
            int at = 12 + (int)((what >> 8) % (ulong)(Math.Min(length, 100) - 12));
            switch (what % 4)
            {
                case 0:
                    frame[at] = (byte)(what >> 32);
                    break;
                case 1:
                    frame[at] ^= (byte)(1 << (int)((what >> 32) & 7));
                    break;
                case 2:
                    // Lengths, counts and offsets lie at their ends.
                    frame[at] = (byte)((what >> 32) % 2 == 0 ? 0xff : 0);
                    break;
                default:
                    length = 15 + (int)((what >> 32) % (ulong)(valid.Length - 15));
                    break;
            }

            if (length < 40)
                break;
        }

        return length;
    }

    // splitmix64
    private static ulong Next(ref ulong state)
    {
        ulong value = state += 0x9e3779b97f4a7c15;
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
        value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
        return value ^ (value >> 31);
    }

    private Packet[] PutWorlds()
    {
        List<Packet> packets = [];
        Extension[] headers = [Extension.HopByHop, Extension.Routing, Extension.Authentication, Extension.Fragment(0, true, 3)];
        foreach (var plan in new[] { AddressPlan.IPv4, AddressPlan.IPv6 })
        {
            var family = plan.Family;
            bool v6 = plan.IsIPv6;
            foreach (var protocol in new[] { Protocol.Tcp, Protocol.Udp, Protocol.Sctp })
            {
                World.Put(new ServiceSpec(
                    $"{protocol} {family}", protocol, [Frontend(family), new FrontendOf(plan.Wildcard, 30080, FrontendFlags.NodePort)],
                    Backends(family, Where.Local, Where.Remote, Where.Far)));
                var packet = FromClient(family, Content(protocol));
                packets.Add(packet);
                packets.Add(packet with { Ttl = 1 });
                packets.Add(FromClient(family, Content(protocol) switch
                {
                    TcpSegment tcp => tcp with { DestinationPort = 99, Flags = TcpFlags.Ack, Payload = Bytes(700) },
                    UdpDatagram udp => udp with { DestinationPort = 99, Payload = Bytes(700) },
                    var other => other,
                }));
                packets.AddRange(FromClient(family, Content(protocol, payload: Bytes(200))).Fragment(64, 7));
                byte[] quote = Packet.Udp(plan.Vip(1), ServicePort, plan.Client(10), ClientPort).ToNetworkBytes();
                packets.Add(FromClient(family, IcmpMessage.TooBig(v6, 1280, quote)));
                var sent = Run(Hook.TcIngress, packet);
                var (answer, _, device) = AnswerTo(Hook.TcIngress, sent, Content(protocol, flags: TcpFlags.Syn | TcpFlags.Ack));
                packets.Add(answer with { DestinationMac = device.Mac });
                packets.Add(v6
                    ? packet with { Extensions = headers }
                    : packet with { Options = [.. Enumerable.Repeat((byte)1, 40)] });
            }
        }

        return [.. packets];
    }
}
