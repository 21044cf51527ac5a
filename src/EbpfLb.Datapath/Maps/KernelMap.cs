// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.CompilerServices;
using EbpfLb.Linux;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Datapath.Maps;

internal sealed class KernelMap<TKey, TValue>(BpfMap map) : IBpfMap<TKey, TValue>
    where TKey : unmanaged
    where TValue : unmanaged
{
    public string Name => map.Info.Name;

    public uint MaxEntries => map.Info.MaxEntries;

    public bool TryGet(TKey key, out TValue value) => map.TryLookup(in key, out value);

    public MapWrite Put(TKey key, in TValue value) => Result(map.Update(in key, in value));

    public MapWrite Delete(TKey key)
    {
        var errno = map.Delete(in key);
        return errno == Errno.ENOENT ? MapWrite.Ok : Result(errno);
    }

    public IReadOnlyList<KeyValuePair<TKey, TValue>> ReadAll() => map.ReadAll<TKey, TValue>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static MapWrite Result(Errno errno) => errno == Errno.None ? MapWrite.Ok : Failed(errno);

    private static MapWrite Failed(Errno errno) => new(
        errno switch
        {
            // Hash maps say the first, tries the second.
            Errno.E2BIG or Errno.ENOSPC => MapError.Full,
            Errno.ENOMEM => MapError.OutOfMemory,
            _ => MapError.Failed,
        },
        errno.Name());
}
