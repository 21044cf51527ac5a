// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.Packets.Tests.Ground;
using EbpfLb.Packets.Tests.Packets;

namespace EbpfLb.Packets.Tests;

/// <summary>
/// Connections that do what they like: opened, answered, reset, closed by either end and opened again, a packet now by XDP and now by tc,
/// with sweeps in between that must change nothing.
/// </summary>
public sealed class SequenceTests(PacketGround ground) : PacketTest(ground)
{
    private const int Steps = 600;
    private const int Connections = 12;

    private static readonly TcpFlags[] OfClient =
    [
        TcpFlags.Syn, TcpFlags.Syn, TcpFlags.Ack, TcpFlags.Ack, TcpFlags.Ack | TcpFlags.Psh, TcpFlags.Fin | TcpFlags.Ack, TcpFlags.Rst,
    ];

    private static readonly TcpFlags[] OfBackend =
    [
        TcpFlags.Syn | TcpFlags.Ack, TcpFlags.Ack, TcpFlags.Ack | TcpFlags.Psh, TcpFlags.Fin | TcpFlags.Ack, TcpFlags.Rst | TcpFlags.Ack,
    ];

    public static TheoryData<AddressFamily, int> Rows
    {
        get
        {
            TheoryData<AddressFamily, int> rows = [];
            for (int seed = 1; seed <= 10; seed++)
            {
                rows.Add(AddressFamily.IPv4, seed);
                rows.Add(AddressFamily.IPv6, seed);
            }

            return rows;
        }
    }

    [PrivilegedTheory]
    [MemberData(nameof(Rows))]
    public void S79_S87_Whatever_the_ends_of_a_connection_do_it_stays_one(AddressFamily family, int seed)
    {
        Serve(family, Protocol.Tcp, Where.Local, Where.Remote, Where.Far, Where.Remote, Where.Local);
        var random = new Random(seed);
        var sent = new PacketResult?[Connections];
        for (int step = 0; step < Steps; step++)
        {
            int connection = random.Next(Connections);
            var hook = random.Next(2) == 0 ? Hook.Xdp : Hook.TcIngress;
            if (random.Next(40) == 0)
            {
                World.Sweep();
            }
            else if (random.Next(2) == 0 || sent[connection] is not { } last)
            {
                var flags = OfClient[random.Next(OfClient.Length)];
                ushort port = (ushort)(41000 + connection);
                var result = Judge(hook, FromClient(family, Segment(flags, random.Next(200), port)));
                if (result.Fate != Fate.Drop)
                    sent[connection] = result;
            }
            else
            {
                JudgeAnswer(hook, last, Segment(OfBackend[random.Next(OfBackend.Length)], random.Next(200)));
            }
        }

        Assert.InRange(World.Flows, 1, Connections);
    }
}
