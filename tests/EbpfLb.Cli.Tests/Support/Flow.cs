// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Cli.Tests.Support;

/// <summary>A flow as a program would write its halves.</summary>
internal sealed record Flow(string Client, ushort ClientPort, string Frontend, ushort FrontendPort, string Backend, ushort BackendPort)
{
    public Protocol Protocol { get; init; } = Protocol.Tcp;

    public uint BackendId { get; init; }

    /// <summary>Null: the backend is on this node and sees the client.</summary>
    public (string Address, ushort Port)? Snat { get; init; }

    public ConntrackFlags Traits { get; init; }

    public ConntrackFlags SeenIn { get; init; }

    public ConntrackFlags SeenOut { get; init; }

    public uint PacketsIn { get; init; } = 1;

    public uint PacketsOut { get; init; }

    /// <summary>In milliseconds of the datapath, which are 2^20 nanoseconds; negative: written after the clock was read.</summary>
    public int AgeIn { get; init; }

    public int AgeOut { get; init; }

    private Side ReplySide => Snat is null ? Side.Egress : Side.Ingress;

    public (ConntrackKey Key, ConntrackValue Value) Forward => (
        Key(Client, ClientPort, Frontend, FrontendPort, Side.Ingress),
        new ConntrackValue
        {
            Source = Address.Parse(Snat?.Address ?? Client),
            SourcePort = new(Snat?.Port ?? ClientPort),
            Destination = Address.Parse(Backend),
            DestinationPort = new(BackendPort),
            Flags = Traits | SeenIn | (ReplySide == Side.Egress ? ConntrackFlags.OtherEgress : ConntrackFlags.None),
            Seen = Seen(AgeIn),
            Packets = PacketsIn,
            Bytes = PacketsIn * 100,
            BackendId = BackendId,
        });

    public (ConntrackKey Key, ConntrackValue Value) Reply => (
        Key(Backend, BackendPort, Snat?.Address ?? Client, Snat?.Port ?? ClientPort, ReplySide),
        new ConntrackValue
        {
            Source = Address.Parse(Frontend),
            SourcePort = new(FrontendPort),
            Destination = Address.Parse(Client),
            DestinationPort = new(ClientPort),
            Flags = Traits | SeenOut | ConntrackFlags.Reply,
            Seen = Seen(AgeOut),
            Packets = PacketsOut,
            Bytes = PacketsOut * 1000,
            BackendId = BackendId,
        });

    public void WriteTo(TestNode node)
    {
        Write(node, Forward);
        Write(node, Reply);
    }

    public static void Write(TestNode node, (ConntrackKey Key, ConntrackValue Value) half) =>
        Assert.True(node.Datapath!.Maps.Conntrack.Put(half.Key, half.Value).Succeeded);

    private static uint Seen(int age) => (uint)(TestNode.NowNs >> 20) - (uint)age;

    private ConntrackKey Key(string source, ushort sourcePort, string destination, ushort destinationPort, Side side) => new()
    {
        Source = Address.Parse(source),
        SourcePort = new(sourcePort),
        Destination = Address.Parse(destination),
        DestinationPort = new(destinationPort),
        Protocol = Protocol,
        Side = side,
    };
}
