// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Linux.Tests.Bpf;

public sealed class BpfMappedArrayTests
{
    [PrivilegedFact]
    public void Elements_of_4_bytes_lie_8_bytes_apart_and_are_written_where_the_kernel_reads_them()
    {
        using BpfMap map = Array(valueSize: sizeof(uint), maxEntries: 100);
        using BpfMappedArray mapped = map.Map();
        Assert.Equal(8u, mapped.Stride);

        mapped.Write<uint>(10, [1001, 1002, 1003]);
        mapped.At<uint>(99) = 4242;

        Assert.Equal((0u, 1001u, 1002u, 1003u, 0u), (Kernel(map, 9), Kernel(map, 10), Kernel(map, 11), Kernel(map, 12), Kernel(map, 13)));
        Assert.Equal(4242u, Kernel(map, 99));
    }

    [PrivilegedFact]
    public void What_a_system_call_writes_is_read_from_memory()
    {
        using BpfMap map = Array(valueSize: sizeof(uint), maxEntries: 1000);
        using BpfMappedArray mapped = map.MapReadOnly();
        for (uint index = 0; index < 1000; index++)
            Assert.Equal(Errno.None, map.Update(index, index + 7));

        uint[] read = new uint[1000];
        mapped.Read<uint>(0, read);
        Assert.Equal(Enumerable.Range(7, 1000).Select(value => (uint)value), read);
        Assert.Equal(507u, mapped.Get<uint>(500));
    }

    [PrivilegedFact]
    public void Elements_as_large_as_the_stride_are_one_span()
    {
        using BpfMap map = Array(valueSize: sizeof(ulong), maxEntries: 64);
        using BpfMappedArray mapped = map.Map();

        Span<ulong> span = mapped.As<ulong>();
        Assert.Equal(64, span.Length);
        span[63] = 9;
        Assert.True(map.TryLookup(63u, out ulong value));
        Assert.Equal(9ul, value);
    }

    [PrivilegedFact]
    public void A_span_over_padded_elements_is_refused()
    {
        using BpfMap map = Array(valueSize: sizeof(uint), maxEntries: 4);
        using BpfMappedArray mapped = map.Map();

        Assert.Throws<ArgumentException>(() => mapped.As<uint>().Length);
        Assert.Throws<ArgumentException>(() => mapped.Get<ulong>(0));
    }

    [PrivilegedFact]
    public void Ranges_end_inside_the_array()
    {
        using BpfMap map = Array(valueSize: sizeof(uint), maxEntries: 4);
        using BpfMappedArray mapped = map.Map();

        mapped.Write<uint>(2, [1, 2]);
        mapped.Write<uint>(4, []);
        Assert.Throws<ArgumentOutOfRangeException>(() => mapped.Write<uint>(3, [1, 2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => mapped.Get<uint>(4));
        Assert.Throws<ArgumentOutOfRangeException>(() => mapped.Read(uint.MaxValue, new uint[2]));
    }

    [PrivilegedFact]
    public void A_mapping_for_reading_takes_no_writes()
    {
        using BpfMap map = Array(valueSize: sizeof(ulong), maxEntries: 4);
        using BpfMappedArray mapped = map.MapReadOnly();

        Assert.Throws<InvalidOperationException>(() => mapped.At<ulong>(0) = 1);
        Assert.Throws<InvalidOperationException>(() => mapped.Write<ulong>(0, [1]));
        Assert.Throws<InvalidOperationException>(() => mapped.As<ulong>().Length);
    }

    [PrivilegedFact]
    public void A_mapping_that_is_gone_is_refused()
    {
        using BpfMap map = Array(valueSize: sizeof(ulong), maxEntries: 4);
        BpfMappedArray mapped = map.Map();
        mapped.Dispose();

        Assert.Throws<ObjectDisposedException>(() => mapped.Get<ulong>(0));
    }

    [PrivilegedFact]
    public void The_mapping_outlives_the_descriptor_of_the_map()
    {
        BpfMap map = Array(valueSize: sizeof(ulong), maxEntries: 4);
        using BpfMappedArray mapped = map.Map();
        map.Dispose();

        mapped.At<ulong>(3) = 5;
        Assert.Equal(5ul, mapped.Get<ulong>(3));
    }

    [PrivilegedFact]
    public void A_map_that_cannot_be_mapped_is_named()
    {
        using BpfMap map = BpfMap.Create(new("plain_v1", BpfMapType.Array, sizeof(uint), sizeof(uint), 4));

        LinuxException exception = Assert.Throws<LinuxException>(map.Map);
        Assert.StartsWith("map the array plain_v1 into memory: EINVAL", exception.Message, StringComparison.Ordinal);
    }

    private static BpfMap Array(uint valueSize, uint maxEntries)
        => BpfMap.Create(new("slots_v1", BpfMapType.Array, sizeof(uint), valueSize, maxEntries, BpfMapFlags.Mmapable));

    private static uint Kernel(BpfMap map, uint index)
    {
        Assert.True(map.TryLookup(index, out uint value));
        return value;
    }
}
