// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Sync;

/// <summary>
/// Hands out ids in turn, never 0. A released id comes back only after every other one has had its turn: that is its quarantine, longer
/// than any socket or affinity entry that still names it can live. Whoever keeps <see cref="Last"/> carries it over a restart.
/// </summary>
/// <param name="isUsed">Asked only about candidates, so it may be a look-up in the view of the map.</param>
/// <param name="last">The id given last, or 0.</param>
/// <param name="highest">The largest id; smaller in tests that want to see the turn.</param>
internal sealed class IdAllocator(Func<uint, bool> isUsed, uint last = 0, uint highest = uint.MaxValue)
{
    public uint Last { get; private set; } = last;

    /// <summary>The id belongs to the caller even before it is in a map: the turn does not come round that soon.</summary>
    public uint Allocate()
    {
        for (uint tried = 0; tried < highest; tried++)
        {
            Last = Last >= highest ? 1 : Last + 1;
            if (!isUsed(Last))
                return Last;
        }

        throw new InvalidOperationException($"All {highest} ids are in use.");
    }
}
