// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.CompilerServices;
using EbpfLb.Linux;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Datapath.Maps;

internal sealed class KernelMap<TKey, TValue>(BpfMap map) : IBpfMap<TKey, TValue>, IReplaceableMap
    where TKey : unmanaged
    where TValue : unmanaged
{
    private BpfMap _map = map;

    public string Name => _map.Info.Name;

    public uint MaxEntries => _map.Info.MaxEntries;

    public bool TryGet(TKey key, out TValue value) => _map.TryLookup(in key, out value);

    public MapWrite Put(TKey key, in TValue value) => Result(_map.Update(in key, in value));

    public MapWrite Delete(TKey key)
    {
        var errno = _map.Delete(in key);
        return errno == Errno.ENOENT ? MapWrite.Ok : Result(errno);
    }

    public IReadOnlyList<KeyValuePair<TKey, TValue>> ReadAll() => _map.ReadAll<TKey, TValue>();

    public void Use(BpfMap map) => _map = map;

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
