// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Loading;
using EbpfLb.Linux;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Datapath.Migration;

/// <summary>The entries of one map in another one, of another size or another layout.</summary>
internal sealed class MapCopy(BpfMap from, BpfMap to, EntryConverter convert)
{
    private readonly byte[] _key = new byte[to.Info.KeySize];
    private readonly byte[] _value = new byte[to.UserValueSize];
    private readonly byte[] _present = new byte[to.UserValueSize];

    /// <summary>While no program uses the new map: what it has of a key is replaced.</summary>
    /// <returns>Entries.</returns>
    /// <exception cref="DatapathException">The new map does not take them all.</exception>
    public long Fill() => CountWritten(() =>
    {
        var errno = to.Update(_key, _value);
        return errno == Errno.None ? true : throw Refused(errno);
    });

    /// <summary>
    /// After the programs have changed over: what the old ones wrote since the copy. An entry of the new programs stays, with what
    /// <paramref name="merge"/> adds to it.
    /// </summary>
    /// <returns>Entries that were added or changed.</returns>
    public long Complete(EntryMerge merge) => CountWritten(() =>
    {
        var errno = to.Update(_key, _value, BpfUpdateFlags.NoExist);
        if (errno == Errno.EEXIST && to.TryLookup(_key, _present) && merge(_value, _present))
            errno = to.Update(_key, _present, BpfUpdateFlags.Exist);
        // Full, or gone meanwhile: the flow is found again by what it is made of, or begins anew.
        return errno == Errno.None;
    });

    /// <summary>Entries; of an array, elements up to the last that is not zero.</summary>
    public static ulong Used(BpfMap map)
    {
        ulong used = 0, index = 0;
        bool isArray = map.Info.Type == BpfMapType.Array;
        var reader = new BpfMapBatchReader(map);
        while (reader.Read())
        {
            if (!isArray)
            {
                used += (ulong)reader.Count;
                continue;
            }

            for (int i = 0; i < reader.Count; i++)
            {
                index++;
                if (reader.Value(i).ContainsAnyExcept((byte)0))
                    used = index;
            }
        }

        return used;
    }

    // Each entry is in the buffers when it is to be written. Elements of an array are zero to begin with.
    private long CountWritten(Func<bool> write)
    {
        bool isArray = from.Info.Type == BpfMapType.Array;
        long written = 0;
        var reader = new BpfMapBatchReader(from);
        while (reader.Read())
        {
            for (int i = 0; i < reader.Count; i++)
            {
                bool isEmpty = isArray && !reader.Value(i).ContainsAnyExcept((byte)0);
                if (!isEmpty && convert(reader.Key(i), reader.Value(i), _key, _value) && write())
                    written++;
            }
        }

        return written;
    }

    private DatapathException Refused(Errno errno) => new(
        $"Map {to.Info.Name} with {to.Info.MaxEntries} entries does not take what {from.Info.Name} holds ({errno.Name()}), so everything stays as "
        + "it was. " + (errno is Errno.ENOMEM
            ? "The kernel or the agent's memory cgroup is out of memory: give it more, or choose a smaller map with --map-size."
            : $"Choose a larger one with --map-size {to.Info.Name}=ENTRIES."));
}
