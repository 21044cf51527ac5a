// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;

namespace EbpfLb.Datapath.Migration;

/// <summary>
/// What of an entry that the old programs wrote last, in the layout of the new map, has to go into the one the new map has of the same key.
/// False when nothing has.
/// </summary>
internal delegate bool EntryMerge(ReadOnlySpan<byte> old, Span<byte> present);

/// <summary>Maps that programs write to while they are copied.</summary>
internal static class EntryMerges
{
    private const ConntrackFlags Marks = ConntrackFlags.Syn | ConntrackFlags.Data | ConntrackFlags.Fin | ConntrackFlags.Rst;

    private const ConntrackFlags Kind =
        ConntrackFlags.Reply | ConntrackFlags.Local | ConntrackFlags.PickedUp | ConntrackFlags.Internal | ConntrackFlags.OtherEgress;

    /// <summary>Null: only the agent writes to this map, and it waits.</summary>
    public static EntryMerge? Of(string map) => map switch
    {
        MapNames.Conntrack => MergeFlow,
        MapNames.Affinity => MergeAffinity,
        // What was counted between the copy and the switch is lost.
        MapNames.Counters or MapNames.SockFlows or MapNames.Fragments => static (_, _) => false,
        _ => null,
    };

    // Marks must not be lost: by them a flow is known to be established, or to be over. Those of another flow, whose client has dialled again
    // from the same port meanwhile, must not be added. The rest of the flags goes with the times and counts of its own side.
    private static bool MergeFlow(ReadOnlySpan<byte> old, Span<byte> present)
    {
        var before = MemoryMarshal.Read<ConntrackValue>(old);
        ref var now = ref MemoryMarshal.AsRef<ConntrackValue>(present);
        var marks = AreOneFlow(before, now) ? (before.Flags | now.Flags) & Marks : ConntrackFlags.None;
        if ((int)(before.Seen - now.Seen) > 0)
        {
            now = before;
            now.Flags |= marks;
            return true;
        }

        if ((marks & ~now.Flags) == 0)
            return false;

        now.Flags |= marks;
        return true;
    }

    private static bool AreOneFlow(in ConntrackValue one, in ConntrackValue other) =>
        one.Source == other.Source && one.Destination == other.Destination
        && one.SourcePort == other.SourcePort && one.DestinationPort == other.DestinationPort
        && one.BackendId == other.BackendId && ((one.Flags ^ other.Flags) & Kind) == 0;

    private static bool MergeAffinity(ReadOnlySpan<byte> old, Span<byte> present)
    {
        var before = MemoryMarshal.Read<AffinityValue>(old);
        ref var now = ref MemoryMarshal.AsRef<AffinityValue>(present);
        if (before.LastUsedNs <= now.LastUsedNs)
            return false;

        now = before;
        return true;
    }
}
