// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Migration;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Tests;

/// <summary>An entry of conntrack that old and new programs wrote while maps were replaced.</summary>
public sealed class EntryMergeTests
{
    private static readonly ConntrackValue Closed = new()
    {
        Source = Address.Parse("192.0.2.1"),
        Destination = Address.Parse("10.1.0.1"),
        SourcePort = new BigEndian16(40000),
        DestinationPort = new BigEndian16(8080),
        BackendId = 1,
        Seen = 1000,
        Flags = ConntrackFlags.Local | ConntrackFlags.Syn | ConntrackFlags.Data | ConntrackFlags.Fin,
    };

    public static TheoryData<string> Differences => ["source", "destination", "source port", "destination port", "backend", "kind"];

    [Theory]
    [MemberData(nameof(Differences))]
    public void A_flow_that_began_anew_from_the_same_port_takes_nothing_of_the_one_before(string what)
    {
        var anew = Closed with { Seen = 1005, Flags = ConntrackFlags.Local | ConntrackFlags.Syn };
        anew = what switch
        {
            "source" => anew with { Source = Address.Parse("192.0.2.2") },
            "destination" => anew with { Destination = Address.Parse("10.1.0.2") },
            "source port" => anew with { SourcePort = new BigEndian16(40001) },
            "destination port" => anew with { DestinationPort = new BigEndian16(8081) },
            "backend" => anew with { BackendId = 2 },
            _ => anew with { Flags = ConntrackFlags.OtherEgress | ConntrackFlags.Syn },
        };
        Assert.Null(Merge(old: Closed, present: anew));
        Assert.Equal(anew, Merge(old: anew, present: Closed));
    }

    [Fact]
    public void Marks_of_one_flow_come_from_both_sides_and_its_end_from_the_younger()
    {
        var dead = Closed with { Flags = Closed.Flags | ConntrackFlags.Lost | ConntrackFlags.Dead | ConntrackFlags.NoXdp, FoldedPackets = 900, FoldedBytes = 7 };
        var younger = Closed with { Seen = 1005, Flags = ConntrackFlags.Local | ConntrackFlags.Syn | ConntrackFlags.Rst };
        var both = younger with { Flags = Closed.Flags | ConntrackFlags.Rst };
        Assert.Equal(both, Merge(old: dead, present: younger));
        Assert.Equal(both, Merge(old: younger, present: dead));

        var youngerDead = dead with { Seen = 1005 };
        Assert.Equal(youngerDead, Merge(old: youngerDead, present: Closed));
        Assert.Null(Merge(old: Closed, present: youngerDead));
    }

    [Fact]
    public void Times_are_compared_across_their_overflow()
    {
        var before = Closed with { Seen = uint.MaxValue, Flags = ConntrackFlags.Local | ConntrackFlags.Syn };
        var after = Closed with { Seen = 3 };
        Assert.Equal(after, Merge(old: after, present: before));
        Assert.Null(Merge(old: before, present: after));
    }

    // Null: the present one stays.
    private static ConntrackValue? Merge(ConntrackValue old, ConntrackValue present)
    {
        var before = present;
        bool changed = EntryMerges.Of(MapNames.Conntrack)!(
            MemoryMarshal.AsBytes(new ReadOnlySpan<ConntrackValue>(in old)), MemoryMarshal.AsBytes(new Span<ConntrackValue>(ref present)));
        if (changed)
            return present;

        Assert.Equal(before, present);
        return null;
    }
}
