// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Frozen;
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Sync;

/// <summary>What the maps hold for one service port. Owned by <see cref="DatapathSync"/>; the ids stay for its life.</summary>
internal sealed class ProgrammedPort(ServicePortKey key, uint serviceId)
{
    public ServicePortKey Key { get; } = key;

    public uint ServiceId { get; } = serviceId;

    /// <summary>Backends that the published tables may name, ordered by address, then port.</summary>
    public ProgrammedBackend[] Backends { get; set; } = [];

    /// <summary>Backends written, or tried, for tables that are not published yet.</summary>
    public List<ProgrammedBackend> Staged { get; } = [];

    /// <summary>Source ranges in the kernel that the published entry may go by.</summary>
    public IReadOnlySet<SourceRangeKey> Ranges { get; set; } = FrozenSet<SourceRangeKey>.Empty;

    /// <summary>Source ranges written, or tried, for an entry that is not published yet.</summary>
    public HashSet<SourceRangeKey> StagedRanges { get; } = [];

    /// <summary>Frontends in the kernel that name this service id.</summary>
    public List<FrontendKey> Frontends { get; } = [];

    /// <summary>Of the slots that the published entry names, as they were written or found right; null before that.</summary>
    public (ulong Cluster, ulong Local)? TableSums { get; set; }

    /// <summary>Part of a version of its service that was programmed as a whole; of one that was not, nothing may stay when a map is full.</summary>
    public bool IsWhole { get; set; }

    /// <summary>Restored from the maps, and no source has spoken of it yet.</summary>
    public bool IsOrphan { get; set; }

    public bool TryFindBackend(Address address, ushort port, out uint id)
    {
        int index = Array.BinarySearch(Backends, new ProgrammedBackend(address, port, 0));
        if (index >= 0)
        {
            id = Backends[index].Id;
            return true;
        }

        foreach (var staged in Staged)
        {
            if (staged.Address == address && staged.Port == port)
            {
                id = staged.Id;
                return true;
            }
        }

        id = 0;
        return false;
    }
}

/// <summary>Ordered by what it is, not by its id.</summary>
internal readonly record struct ProgrammedBackend(Address Address, ushort Port, uint Id) : IComparable<ProgrammedBackend>
{
    public int CompareTo(ProgrammedBackend other)
    {
        int order = Address.CompareTo(other.Address);
        return order != 0 ? order : Port.CompareTo(other.Port);
    }
}
