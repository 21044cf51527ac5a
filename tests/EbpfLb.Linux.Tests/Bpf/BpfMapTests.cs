// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Processes;
using EbpfLb.Linux.Tests.Support;

namespace EbpfLb.Linux.Tests.Bpf;

public sealed class BpfMapTests
{
    [PrivilegedFact]
    public void A_map_reports_what_it_was_created_with()
    {
        using BpfMap map = Hash("info_v1", maxEntries: 17);

        Assert.Equal("info_v1", map.Info.Name);
        Assert.Equal(BpfMapType.Hash, map.Info.Type);
        Assert.Equal((4u, 8u, 17u), (map.Info.KeySize, map.Info.ValueSize, map.Info.MaxEntries));
        Assert.Equal(BpfMapFlags.NoPrealloc, map.Info.Flags);
        Assert.Equal((0u, 0u, 0u), (map.Info.BtfId, map.Info.BtfKeyTypeId, map.Info.BtfValueTypeId));
    }

    [PrivilegedFact]
    public void A_map_opened_by_id_is_the_same_map()
    {
        using BpfMap map = Hash();
        using BpfMap same = BpfMap.FromId(map.Info.Id);
        Assert.Equal(Errno.None, map.Update(1u, 11ul));

        Assert.True(same.TryLookup(1u, out ulong value));
        Assert.Equal(11ul, value);
        Assert.Contains(map.Info.Id, BpfObjects.MapIds());
    }

    [PrivilegedFact]
    public void An_id_nobody_has_is_ENOENT()
        => Assert.Equal(Errno.ENOENT, Assert.Throws<LinuxException>(() => BpfMap.FromId(uint.MaxValue - 1)).Errno);

    [PrivilegedFact]
    public void An_entry_is_inserted_replaced_found_and_deleted()
    {
        using BpfMap map = Hash();

        Assert.False(map.TryLookup(7u, out ulong value));
        Assert.Equal(Errno.None, map.Update(7u, 70ul));
        Assert.Equal(Errno.None, map.Update(7u, 71ul));
        Assert.True(map.TryLookup(7u, out value));
        Assert.Equal(71ul, value);
        Assert.Equal(Errno.None, map.Delete(7u));
        Assert.Equal(Errno.ENOENT, map.Delete(7u));
        Assert.False(map.TryLookup(7u, out value));
    }

    [PrivilegedFact]
    public void Update_flags_tell_an_insertion_from_a_replacement()
    {
        using BpfMap map = Hash();

        Assert.Equal(Errno.ENOENT, map.Update(1u, 1ul, BpfUpdateFlags.Exist));
        Assert.Equal(Errno.None, map.Update(1u, 1ul, BpfUpdateFlags.NoExist));
        Assert.Equal(Errno.EEXIST, map.Update(1u, 2ul, BpfUpdateFlags.NoExist));
        Assert.Equal(Errno.None, map.Update(1u, 3ul, BpfUpdateFlags.Exist));
        Assert.True(map.TryLookup(1u, out ulong value));
        Assert.Equal(3ul, value);
    }

    [PrivilegedFact]
    public void A_full_map_is_E2BIG_and_still_takes_replacements()
    {
        using BpfMap map = Hash(maxEntries: 3);
        for (uint key = 0; key < 3; key++)
            Assert.Equal(Errno.None, map.Update(key, 0ul));

        Assert.Equal(Errno.E2BIG, map.Update(3u, 0ul));
        Assert.Equal(Errno.None, map.Update(2u, 1ul));
        Assert.Equal(Errno.None, map.Delete(0u));
        Assert.Equal(Errno.None, map.Update(3u, 0ul));
    }

    [PrivilegedFact]
    public void Spans_of_another_size_never_reach_the_kernel()
    {
        using BpfMap map = Hash();

        Assert.Throws<ArgumentException>(() => map.Update((ushort)1, 1ul));
        Assert.Throws<ArgumentException>(() => map.Update(1u, 1u));
        Assert.Throws<ArgumentException>(() => map.TryLookup(1u, out uint _));
        Assert.Throws<ArgumentException>(() => map.Delete(1ul));
        Assert.Throws<ArgumentException>(() => map.ReadAll<ulong, ulong>());
    }

    [PrivilegedFact]
    public void A_closed_map_is_refused()
    {
        BpfMap map = Hash();
        map.Dispose();

        Assert.Throws<ObjectDisposedException>(() => map.Update(1u, 1ul));
    }

    [PrivilegedFact]
    public void A_map_the_kernel_refuses_is_named_with_its_size()
    {
        LinuxException exception = Assert.Throws<LinuxException>(() => Hash("empty_v1", maxEntries: 0));

        Assert.Equal("create map empty_v1 (0 entries): EINVAL (Invalid argument)", exception.Message);
    }

    [Fact]
    public void A_name_of_more_than_15_characters_is_refused()
        => Assert.Throws<ArgumentException>(() => Hash("sixteen_chars_v1"));

    [PrivilegedFact]
    public void A_pinned_map_is_opened_by_its_path()
    {
        using PrivateBpffs bpffs = new();
        string pin = bpffs.Pin("m");
        uint id;
        using (BpfMap map = Hash())
        {
            id = map.Info.Id;
            Assert.Equal(Errno.None, map.Update(5u, 50ul));
            map.Pin(pin);
        }

        using BpfMap opened = BpfMap.OpenPinned(pin);
        Assert.Equal(id, opened.Info.Id);
        Assert.True(opened.TryLookup(5u, out ulong value));
        Assert.Equal(50ul, value);
        Assert.True(BpfMap.TryOpenPinned(pin, out BpfMap? tried));
        tried.Dispose();
    }

    [PrivilegedFact]
    public void A_pin_in_the_way_is_EEXIST_and_named()
    {
        using PrivateBpffs bpffs = new();
        using BpfMap map = Hash("twice_v1");
        map.Pin(bpffs.Pin("m"));

        LinuxException exception = Assert.Throws<LinuxException>(() => map.Pin(bpffs.Pin("m")));
        Assert.Equal($"pin map twice_v1 at {bpffs.Pin("m")}: EEXIST (File exists)", exception.Message);
    }

    [PrivilegedFact]
    public void A_missing_pin_is_told_apart_from_other_failures()
    {
        using PrivateBpffs bpffs = new();

        Assert.False(BpfMap.TryOpenPinned(bpffs.Pin("absent"), out _));
        LinuxException missing = Assert.Throws<LinuxException>(() => BpfMap.OpenPinned(bpffs.Pin("absent")));
        Assert.Equal(Errno.ENOENT, missing.Errno);
        Assert.Contains(bpffs.Pin("absent"), missing.Message, StringComparison.Ordinal);
        Assert.Throws<LinuxException>(() => BpfMap.TryOpenPinned(bpffs.Path, out _));
    }

    [PrivilegedFact]
    public void A_pinned_program_is_not_opened_as_a_map()
    {
        using PrivateBpffs bpffs = new();
        using BpfProgram program = Instructions.Xdp("pass", Instructions.Move(0, 2), Instructions.Exit);
        program.Pin(bpffs.Pin("p"));

        LinuxException exception = Assert.Throws<LinuxException>(() => BpfMap.TryOpenPinned(bpffs.Pin("p"), out _));
        Assert.Equal(Errno.EINVAL, exception.Errno);
        Assert.EndsWith("it is anon_inode:bpf-prog", exception.Message, StringComparison.Ordinal);
    }

    [PrivilegedFact]
    public void A_per_CPU_value_takes_a_rounded_copy_for_every_possible_CPU()
    {
        using BpfMap map = BpfMap.Create(new("percpu_v1", BpfMapType.PercpuArray, sizeof(uint), 12, 2));
        Assert.Equal(16 * PossibleCpus.Count, map.UserValueSize);
        byte[] written = new byte[map.UserValueSize];
        for (int cpu = 0; cpu < PossibleCpus.Count; cpu++)
            MemoryMarshal.Write(written.AsSpan(16 * cpu), cpu + 1);

        ReadOnlySpan<byte> key = [1, 0, 0, 0];
        Assert.Equal(Errno.None, map.Update(key, written));
        byte[] read = new byte[map.UserValueSize];
        Assert.True(map.TryLookup(key, read));
        Assert.Equal(written, read);
        byte[] one = new byte[12];
        Assert.Throws<ArgumentException>(() => map.TryLookup([1, 0, 0, 0], one));
    }

    [PrivilegedFact]
    public void Values_of_every_CPU_are_read_whether_their_size_is_a_multiple_of_8_or_not()
    {
        AssertPerCpu<ulong>(cpu => 0x1234567800000000ul + (ulong)cpu);
        AssertPerCpu<uint>(cpu => 0xffff0000u + (uint)cpu);
        AssertPerCpu(cpu => (cpu, ~cpu, 5 * cpu));
    }

    [PrivilegedFact]
    public void A_per_CPU_lookup_that_does_not_fit_the_map_is_refused_and_a_key_that_is_not_there_is_false()
    {
        using BpfMap array = BpfMap.Create(new("percpu_v1", BpfMapType.PercpuArray, sizeof(uint), sizeof(ulong), 2));
        using BpfMap plain = Hash();

        Assert.False(array.TryLookupPerCpu(2u, new ulong[PossibleCpus.Count]));
        Assert.Throws<ArgumentException>(() => array.TryLookupPerCpu(0u, new ulong[PossibleCpus.Count + 1]));
        Assert.Throws<ArgumentException>(() => array.TryLookupPerCpu(0u, new uint[PossibleCpus.Count]));
        Assert.Throws<ArgumentException>(() => array.TryLookupPerCpu((ushort)0, new ulong[PossibleCpus.Count]));
        Assert.Throws<ArgumentException>(() => plain.TryLookupPerCpu(0u, new ulong[PossibleCpus.Count]));
    }

    [PrivilegedFact]
    public void Updates_and_lookups_allocate_nothing()
    {
        using BpfMap map = Hash(maxEntries: 64);
        ulong value = 0;
        for (uint i = 0; i < 100; i++)
            Assert.True(map.Update(i & 63, (ulong)i) == Errno.None && map.TryLookup(i & 63, out value));

        long before = GC.GetAllocatedBytesForCurrentThread();
        bool held = true;
        for (uint i = 0; i < 1000; i++)
            held &= map.Update(i & 63, (ulong)i) == Errno.None && map.TryLookup(i & 63, out value) && value == i;
        long after = GC.GetAllocatedBytesForCurrentThread();

        Assert.True(held);
        Assert.Equal(0, after - before);
    }

    private static void AssertPerCpu<T>(Func<int, T> valueOf)
        where T : unmanaged
    {
        int size = System.Runtime.CompilerServices.Unsafe.SizeOf<T>();
        using BpfMap map = BpfMap.Create(new("percpu_v1", BpfMapType.PercpuArray, sizeof(uint), (uint)size, 2));
        T[] expected = [.. Enumerable.Range(1, PossibleCpus.Count).Select(valueOf)];
        byte[] written = new byte[map.UserValueSize];
        for (int cpu = 0; cpu < expected.Length; cpu++)
            MemoryMarshal.Write(written.AsSpan(cpu * (written.Length / expected.Length)), expected[cpu]);
        Assert.Equal(Errno.None, map.Update([1, 0, 0, 0], written));

        T[] read = new T[PossibleCpus.Count];
        Assert.True(map.TryLookupPerCpu<uint, T>(1u, read));
        Assert.Equal(expected, read);
    }

    private static BpfMap Hash(string name = "test_v1", uint maxEntries = 1024)
        => BpfMap.Create(new(name, BpfMapType.Hash, sizeof(uint), sizeof(ulong), maxEntries, BpfMapFlags.NoPrealloc));
}
