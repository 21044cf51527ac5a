// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Linux.Tests.Bpf;

public sealed class BpfMapBatchReaderTests
{
    private const uint Entries = 10_000;

    [PrivilegedFact]
    public void Every_entry_of_a_hash_map_comes_once()
    {
        using BpfMap map = Filled(BpfMapType.Hash, BpfMapFlags.NoPrealloc);

        AssertWhole(map.ReadAll<uint, ulong>());
    }

    [PrivilegedFact]
    public void The_visitor_sees_the_same_entries()
    {
        using BpfMap map = Filled(BpfMapType.Hash, BpfMapFlags.None);
        List<KeyValuePair<uint, ulong>> entries = [];

        map.ReadAll((key, value) => entries.Add(new(MemoryMarshal.Read<uint>(key), MemoryMarshal.Read<ulong>(value))));

        AssertWhole(entries);
    }

    [PrivilegedFact]
    public void A_batch_smaller_than_a_bucket_grows()
    {
        using BpfMap map = Filled(BpfMapType.Hash, BpfMapFlags.NoPrealloc);
        BpfMapBatchReader reader = new(map, batchSize: 1);
        List<KeyValuePair<uint, ulong>> entries = [];
        int batches = 0;
        for (; reader.Read(); batches++)
        {
            for (int i = 0; i < reader.Count; i++)
                entries.Add(new(MemoryMarshal.Read<uint>(reader.Key(i)), MemoryMarshal.Read<ulong>(reader.Value(i))));
        }

        AssertWhole(entries);
        Assert.InRange(batches, 100, (int)Entries);
        Assert.False(reader.Read());
        Assert.Equal(0, reader.Count);
    }

    [PrivilegedFact]
    public void An_array_is_read_in_order()
    {
        using BpfMap map = Filled(BpfMapType.Array, BpfMapFlags.None);
        List<KeyValuePair<uint, ulong>> entries = map.ReadAll<uint, ulong>();

        Assert.Equal(Enumerable.Range(0, (int)Entries).Select(key => (uint)key), entries.Select(entry => entry.Key));
        AssertWhole(entries);
    }

    [PrivilegedFact]
    public void An_empty_map_has_no_batch()
    {
        using BpfMap map = BpfMap.Create(new("empty_v1", BpfMapType.Hash, sizeof(uint), sizeof(ulong), 16));

        Assert.False(new BpfMapBatchReader(map).Read());
    }

    [PrivilegedFact]
    public void Values_of_every_CPU_come_along()
    {
        using BpfMap map = BpfMap.Create(new("percpu_v1", BpfMapType.PercpuHash, sizeof(uint), sizeof(uint), 100));
        byte[] value = new byte[map.UserValueSize];
        for (uint key = 0; key < 100; key++)
        {
            value.AsSpan().Fill((byte)(key + 1));
            Assert.Equal(Errno.None, map.Update(MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in key)), value));
        }

        // Of each copy the kernel keeps the 4 bytes of the value and clears the 4 of padding.
        int seen = 0;
        map.ReadAll((key, read) =>
        {
            seen++;
            byte expected = (byte)(MemoryMarshal.Read<uint>(key) + 1);
            for (int cpu = 0; cpu < read.Length / 8; cpu++)
                Assert.Equal(new byte[] { expected, expected, expected, expected }, read.Slice(8 * cpu, 4).ToArray());
        });
        Assert.Equal(100, seen);
    }

    [PrivilegedFact]
    public void A_map_type_without_batches_is_read_one_by_one()
    {
        // The value is the index of a network device; 1 is the loopback of every network namespace.
        using BpfMap map = BpfMap.Create(new("devices_v1", BpfMapType.DevmapHash, sizeof(uint), sizeof(uint), 64));
        for (uint key = 0; key < 50; key++)
            Assert.Equal(Errno.None, map.Update(key, 1u));

        List<KeyValuePair<uint, uint>> entries = map.ReadAll<uint, uint>();

        Assert.Equal(Enumerable.Range(0, 50).Select(key => (uint)key), entries.Select(entry => entry.Key).Order());
        Assert.All(entries, entry => Assert.Equal(1u, entry.Value));
    }

    private static BpfMap Filled(BpfMapType type, BpfMapFlags flags)
    {
        BpfMap map = BpfMap.Create(new("filled_v1", type, sizeof(uint), sizeof(ulong), Entries, flags));
        for (uint key = 0; key < Entries; key++)
            Assert.Equal(Errno.None, map.Update(key, key * 3ul));
        return map;
    }

    private static void AssertWhole(List<KeyValuePair<uint, ulong>> entries)
    {
        Assert.Equal((int)Entries, entries.Count);
        Assert.Equal((int)Entries, entries.Select(entry => entry.Key).Distinct().Count());
        Assert.All(entries, entry => Assert.Equal(entry.Key * 3ul, entry.Value));
    }
}
