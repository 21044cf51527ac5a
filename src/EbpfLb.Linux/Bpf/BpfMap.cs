// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using EbpfLb.Linux.Processes;

namespace EbpfLb.Linux.Bpf;

/// <summary>
/// A map of the kernel. Element operations copy through the caller's spans, allocate nothing, and may be called from any thread.
/// </summary>
public sealed unsafe class BpfMap : IDisposable
{
    private readonly int _keySize;
    private readonly int _userValueSize;

    private BpfMap(BpfHandle handle)
    {
        Handle = handle;
        try
        {
            Info = ReadInfo(handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }

        _keySize = (int)Info.KeySize;
        _userValueSize = UserValueSizeOf(Info);
    }

    public BpfMapInfo Info { get; }

    /// <summary>
    /// Bytes a value takes in a call: the value size, or for per-CPU maps that size rounded up to 8, once per possible CPU.
    /// </summary>
    public int UserValueSize => _userValueSize;

    internal BpfHandle Handle { get; }

    public static BpfMap OpenPinned(string path) => new(PinPath.Open(path, "map"));

    /// <summary>False when nothing is pinned there; anything else that fails is an exception.</summary>
    public static bool TryOpenPinned(string path, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out BpfMap? map)
    {
        BpfHandle? handle = PinPath.OpenIfPinned(path, "map");
        map = handle is null ? null : new BpfMap(handle);
        return map is not null;
    }

    /// <summary>Takes CAP_SYS_ADMIN.</summary>
    public static BpfMap FromId(uint id) => new(BpfObjectInfo.OpenById(BpfCommand.MapGetFdById, id, "map"));

    public static BpfMap Create(in BpfMapSpec spec)
    {
        using BpfHandle? btf = spec.BtfId == 0 ? null : BpfObjectInfo.OpenById(BpfCommand.BtfGetFdById, spec.BtfId, "BTF");
        BpfAttr.MapCreate attr = new()
        {
            MapType = (uint)spec.Type,
            KeySize = spec.KeySize,
            ValueSize = spec.ValueSize,
            MaxEntries = spec.MaxEntries,
            MapFlags = (uint)spec.Flags,
        };
        KernelName.Write(spec.Name, new Span<byte>(attr.MapName, BpfAttr.NameLength));
        if (btf is not null)
        {
            attr.BtfFd = (uint)btf.DangerousGetHandle();
            attr.BtfKeyTypeId = spec.BtfKeyTypeId;
            attr.BtfValueTypeId = spec.BtfValueTypeId;
        }

        Errno errno = BpfSyscall.Invoke(BpfCommand.MapCreate, ref attr, out int descriptor);
        GC.KeepAlive(btf);
        if (errno != Errno.None)
            throw new LinuxException($"create map {spec.Name} ({spec.MaxEntries} entries)", errno);
        return new BpfMap(new BpfHandle(descriptor));
    }

    public void Pin(string path) => PinPath.Pin(Handle, path, $"map {Info.Name}");

    /// <summary>False when the key is not there.</summary>
    public bool TryLookup(ReadOnlySpan<byte> key, Span<byte> value)
    {
        CheckKey(key);
        CheckValue(value.Length);
        Errno errno;
        fixed (byte* keyPointer = key)
        fixed (byte* valuePointer = value)
        {
            errno = Invoke(BpfCommand.MapLookupElem, keyPointer, valuePointer, 0);
        }

        if (errno is Errno.None or Errno.ENOENT)
            return errno == Errno.None;
        throw new LinuxException($"look up a key of map {Info.Name}", errno);
    }

    /// <inheritdoc cref="TryLookup(ReadOnlySpan{byte}, Span{byte})"/>
    public bool TryLookup<TKey, TValue>(in TKey key, out TValue value)
        where TKey : unmanaged
        where TValue : unmanaged
    {
        value = default;
        return TryLookup(AsBytes(in key), MemoryMarshal.AsBytes(new Span<TValue>(ref value)));
    }

    /// <summary>The value of each possible CPU, of a per-CPU map. False when the key is not there.</summary>
    public bool TryLookupPerCpu<TKey, TValue>(in TKey key, Span<TValue> values)
        where TKey : unmanaged
        where TValue : unmanaged
    {
        int stride = _userValueSize / PossibleCpus.Count;
        if (!IsPerCpu(Info.Type) || sizeof(TValue) != Info.ValueSize || values.Length != PossibleCpus.Count)
            ThrowSize($"{values.Length} values", values.Length * sizeof(TValue), PossibleCpus.Count * (int)Info.ValueSize);
        if (stride == sizeof(TValue))
            return TryLookup(AsBytes(in key), MemoryMarshal.AsBytes(values));

        // The kernel rounds each value up to 8 bytes.
        byte[] rounded = new byte[_userValueSize];
        if (!TryLookup(AsBytes(in key), rounded))
            return false;
        for (int i = 0; i < values.Length; i++)
            values[i] = MemoryMarshal.Read<TValue>(rounded.AsSpan(i * stride));
        return true;
    }

    /// <summary>
    /// Answers the error number, for the caller to sort: E2BIG is a full map, ENOMEM may pass, EBUSY is a program at work on that bucket.
    /// </summary>
    public Errno Update(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, BpfUpdateFlags flags = BpfUpdateFlags.Any)
    {
        CheckKey(key);
        CheckValue(value.Length);
        fixed (byte* keyPointer = key)
        fixed (byte* valuePointer = value)
        {
            return Invoke(BpfCommand.MapUpdateElem, keyPointer, valuePointer, (ulong)flags);
        }
    }

    /// <inheritdoc cref="Update(ReadOnlySpan{byte}, ReadOnlySpan{byte}, BpfUpdateFlags)"/>
    public Errno Update<TKey, TValue>(in TKey key, in TValue value, BpfUpdateFlags flags = BpfUpdateFlags.Any)
        where TKey : unmanaged
        where TValue : unmanaged
        => Update(AsBytes(in key), AsBytes(in value), flags);

    /// <summary>A key that is not there is <see cref="Errno.ENOENT"/>.</summary>
    public Errno Delete(ReadOnlySpan<byte> key)
    {
        CheckKey(key);
        fixed (byte* keyPointer = key)
        {
            return Invoke(BpfCommand.MapDeleteElem, keyPointer, null, 0);
        }
    }

    /// <inheritdoc cref="Delete(ReadOnlySpan{byte})"/>
    public Errno Delete<TKey>(in TKey key)
        where TKey : unmanaged
        => Delete(AsBytes(in key));

    /// <summary>Every entry, each once unless somebody writes to the map meanwhile.</summary>
    public void ReadAll(BpfEntryVisitor visitor)
    {
        BpfMapBatchReader reader = new(this);
        while (reader.Read())
        {
            for (int i = 0; i < reader.Count; i++)
                visitor(reader.Key(i), reader.Value(i));
        }
    }

    /// <inheritdoc cref="ReadAll(BpfEntryVisitor)"/>
    public List<KeyValuePair<TKey, TValue>> ReadAll<TKey, TValue>()
        where TKey : unmanaged
        where TValue : unmanaged
    {
        if (sizeof(TKey) != _keySize || sizeof(TValue) != _userValueSize)
            ThrowSize($"{typeof(TKey).Name} and {typeof(TValue).Name}", sizeof(TKey) + sizeof(TValue), _keySize + _userValueSize);
        List<KeyValuePair<TKey, TValue>> entries = [];
        BpfMapBatchReader reader = new(this);
        while (reader.Read())
        {
            ReadOnlySpan<TKey> keys = MemoryMarshal.Cast<byte, TKey>(reader.Keys);
            ReadOnlySpan<TValue> values = MemoryMarshal.Cast<byte, TValue>(reader.Values);
            for (int i = 0; i < keys.Length; i++)
                entries.Add(new(keys[i], values[i]));
        }

        return entries;
    }

    /// <summary>Maps the elements of a <see cref="BpfMapFlags.Mmapable"/> array for reading and writing.</summary>
    public BpfMappedArray Map() => BpfMappedArray.Create(this, writable: true);

    /// <summary>Maps the elements of a <see cref="BpfMapFlags.Mmapable"/> array for reading.</summary>
    public BpfMappedArray MapReadOnly() => BpfMappedArray.Create(this, writable: false);

    public void Dispose() => Handle.Dispose();

    /// <summary>ENOENT at the end. A null <paramref name="key"/> asks for the first.</summary>
    internal Errno NextKey(byte* key, byte* next) => Invoke(BpfCommand.MapGetNextKey, key, next, 0);

    private static BpfMapInfo ReadInfo(BpfHandle handle)
    {
        BpfAttr.MapInfo info = default;
        BpfObjectInfo.Fill(handle, ref info, "a map");
        return new BpfMapInfo(
            info.Id,
            (BpfMapType)info.Type,
            info.KeySize,
            info.ValueSize,
            info.MaxEntries,
            (BpfMapFlags)info.MapFlags,
            KernelName.Read(new ReadOnlySpan<byte>(info.Name, BpfAttr.NameLength)),
            info.BtfId,
            info.BtfKeyTypeId,
            info.BtfValueTypeId);
    }

    private static bool IsPerCpu(BpfMapType type)
        => type is BpfMapType.PercpuHash or BpfMapType.PercpuArray or BpfMapType.LruPercpuHash or BpfMapType.PercpuCgroupStorage;

    private static int UserValueSizeOf(BpfMapInfo info) => IsPerCpu(info.Type)
        ? checked((int)((info.ValueSize + 7) & ~7u) * PossibleCpus.Count)
        : checked((int)info.ValueSize);

    private static ReadOnlySpan<byte> AsBytes<T>(in T value)
        where T : unmanaged
        => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value));

    private static void ThrowSize(string what, int given, int expected)
        => throw new ArgumentException($"{what} of {given} bytes where the map takes {expected}");

    private Errno Invoke(BpfCommand command, byte* key, byte* value, ulong flags)
    {
        using Lease lease = new(Handle);
        BpfAttr.Element attr = new() { MapFd = lease.Descriptor, Key = (ulong)key, Value = (ulong)value, Flags = flags };
        return BpfSyscall.Invoke(command, ref attr, out _);
    }

    // The kernel copies as many bytes as the map says, whatever the span holds: these two checks keep it inside.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void CheckKey(ReadOnlySpan<byte> key)
    {
        if (key.Length != _keySize)
            ThrowSize("a key", key.Length, _keySize);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void CheckValue(int length)
    {
        if (length != _userValueSize)
            ThrowSize("a value", length, _userValueSize);
    }
}
