// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace EbpfLb.Linux.Bpf;

/// <summary>
/// The elements of an array map, mapped into this process: plain stores and loads instead of system calls.
/// </summary>
/// <remarks>
/// Elements lie <see cref="Stride"/> bytes apart, the value size rounded up to 8, so an array of u32 is not a span of uint: use
/// <see cref="At{T}"/>, <see cref="Write{T}"/> and <see cref="Read{T}"/>. Naturally aligned stores of up to 8 bytes are seen whole by programs.
/// References and spans point into the mapping and must not be used after <see cref="Dispose"/>, which the owner calls last.
/// </remarks>
public sealed unsafe class BpfMappedArray : IDisposable
{
    private readonly MemoryMapping _mapping;
    private readonly bool _writable;

    private BpfMappedArray(MemoryMapping mapping, BpfMapInfo info, bool writable)
    {
        _mapping = mapping;
        _writable = writable;
        Count = info.MaxEntries;
        ValueSize = info.ValueSize;
        Stride = StrideOf(info);
    }

    public uint Count { get; }

    public uint ValueSize { get; }

    public uint Stride { get; }

    /// <summary>Everything, paddings included; for writing only if mapped so.</summary>
    public Span<byte> Bytes
    {
        get
        {
            CheckWritable();
            return new Span<byte>(Pointer, checked((int)(Count * Stride)));
        }
    }

    private byte* Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(_mapping.IsClosed, this);
            return _mapping.Pointer;
        }
    }

    /// <summary>The elements as a span. For types as large as the stride only.</summary>
    public Span<T> As<T>()
        where T : unmanaged
    {
        if (sizeof(T) != Stride)
            ThrowSize<T>(Stride);
        return MemoryMarshal.Cast<byte, T>(Bytes);
    }

    /// <summary>One element, in place.</summary>
    public ref T At<T>(uint index)
        where T : unmanaged
    {
        CheckWritable();
        return ref Unsafe.AsRef<T>(Element<T>(index));
    }

    /// <summary>One element, copied.</summary>
    public T Get<T>(uint index)
        where T : unmanaged
        => *(T*)Element<T>(index);

    /// <summary>Stores <paramref name="values"/> in the elements from <paramref name="start"/> on.</summary>
    public void Write<T>(uint start, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        CheckWritable();
        byte* element = Range<T>(start, values.Length);
        foreach (T value in values)
        {
            *(T*)element = value;
            element += Stride;
        }
    }

    /// <summary>Copies the elements from <paramref name="start"/> on.</summary>
    public void Read<T>(uint start, Span<T> destination)
        where T : unmanaged
    {
        byte* element = Range<T>(start, destination.Length);
        foreach (ref T value in destination)
        {
            value = *(T*)element;
            element += Stride;
        }
    }

    public void Dispose() => _mapping.Dispose();

    internal static BpfMappedArray Create(BpfMap map, bool writable)
    {
        BpfMapInfo info = map.Info;
        string attempt = $"map the array {info.Name} into memory";
        if (info.Type != BpfMapType.Array || !info.Flags.HasFlag(BpfMapFlags.Mmapable))
            throw new LinuxException(attempt, Errno.EINVAL, "it is no array created with BPF_F_MMAPABLE");
        nuint length = checked((nuint)info.MaxEntries * StrideOf(info));
        Errno errno = MemoryMapping.TryCreate(map.Handle, length, writable, out MemoryMapping? mapping);
        return mapping is null ? throw new LinuxException(attempt, errno) : new BpfMappedArray(mapping, info, writable);
    }

    private static uint StrideOf(BpfMapInfo info) => (info.ValueSize + 7) & ~7u;

    [DoesNotReturn]
    private static void ThrowSize<T>(uint expected)
        where T : unmanaged
        => throw new ArgumentException($"{typeof(T).Name} has {sizeof(T)} bytes, the elements {expected}");

    private byte* Element<T>(uint index)
        where T : unmanaged
        => Range<T>(index, 1);

    private byte* Range<T>(uint start, int count)
        where T : unmanaged
    {
        if (sizeof(T) != ValueSize)
            ThrowSize<T>(ValueSize);
        if ((ulong)start + (uint)count > Count)
            throw new ArgumentOutOfRangeException(nameof(start), $"{count} elements from {start} in an array of {Count}");
        return Pointer + ((nuint)start * Stride);
    }

    // A store to a read-only mapping would end the process.
    private void CheckWritable()
    {
        if (!_writable)
            throw new InvalidOperationException("the array is mapped for reading");
    }
}
