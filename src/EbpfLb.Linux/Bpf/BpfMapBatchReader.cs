// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Bpf;

/// <summary>
/// Reads a whole map, many entries per system call where the map type can (BPF_MAP_LOOKUP_BATCH), one by one where it cannot.
/// Not for several threads.
/// </summary>
/// <remarks>
/// A hash map gives whole buckets, so an entry that stays is seen exactly once. One by one, a key that is deleted just when it is the
/// position of the reader makes the kernel start over: entries may come twice, and a reader that never reaches the end gives up.
/// </remarks>
public sealed unsafe class BpfMapBatchReader
{
    private readonly BpfMap _map;
    private readonly int _keySize;
    private readonly int _valueSize;
    private byte[] _keys;
    private byte[] _values;

    // The position after the last batch: a bucket number of 4 bytes in hash maps, a key in the others. In and out must not be one buffer:
    // the kernel may write before it has failed.
    private byte[] _position;
    private byte[] _next;
    private uint _capacity;
    private bool _started;
    private bool _ended;
    private bool _oneByOne;
    private ulong _steps;

    public BpfMapBatchReader(BpfMap map, int batchSize = 4096)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        _map = map;
        _keySize = (int)map.Info.KeySize;
        _valueSize = map.UserValueSize;
        _capacity = Math.Min((uint)batchSize, Math.Max(map.Info.MaxEntries, 1));
        _keys = new byte[_capacity * _keySize];
        _values = new byte[_capacity * _valueSize];
        _position = new byte[Math.Max(_keySize, sizeof(ulong))];
        _next = new byte[_position.Length];
    }

    /// <summary>Entries in the current batch.</summary>
    public int Count { get; private set; }

    public ReadOnlySpan<byte> Keys => _keys.AsSpan(0, Count * _keySize);

    public ReadOnlySpan<byte> Values => _values.AsSpan(0, Count * _valueSize);

    public ReadOnlySpan<byte> Key(int index) => Keys.Slice(index * _keySize, _keySize);

    public ReadOnlySpan<byte> Value(int index) => Values.Slice(index * _valueSize, _valueSize);

    /// <summary>Reads the next batch, replacing the current one; false at the end.</summary>
    public bool Read()
    {
        Count = 0;
        while (!_ended && Count == 0)
        {
            if (_oneByOne)
                ReadOneByOne();
            else
                ReadBatch();
        }

        return Count > 0;
    }

    private void ReadBatch()
    {
        Errno errno = LookupBatch(out uint count);
        switch (errno)
        {
            case Errno.None:
                Take(count);
                break;
            case Errno.ENOENT:
                Take(count);
                _ended = true;
                break;
            case Errno.ENOSPC:
                // The next bucket alone holds more entries than the buffer.
                Grow();
                break;
            case Errno.EINVAL or Errno.ENOTSUPP or Errno.EOPNOTSUPP when !_started:
                _oneByOne = true;
                break;
            default:
                throw new LinuxException($"read map {_map.Info.Name}", errno);
        }
    }

    private Errno LookupBatch(out uint count)
    {
        using Lease lease = new(_map.Handle);
        fixed (byte* keys = _keys)
        fixed (byte* values = _values)
        fixed (byte* position = _position)
        fixed (byte* next = _next)
        {
            while (true)
            {
                BpfAttr.Batch attr = new()
                {
                    InBatch = _started ? (ulong)position : 0,
                    OutBatch = (ulong)next,
                    Keys = (ulong)keys,
                    Values = (ulong)values,
                    Count = _capacity,
                    MapFd = lease.Descriptor,
                };
                Errno errno = BpfSyscall.InvokeOnce(BpfCommand.MapLookupBatch, ref attr, out _);
                count = attr.Count;
                if (errno is not (Errno.EINTR or Errno.EAGAIN))
                    return errno;
            }
        }
    }

    private void Take(uint count)
    {
        Count = (int)count;
        (_position, _next) = (_next, _position);
        _started = true;
    }

    private void Grow()
    {
        _capacity = checked(_capacity * 2);
        _keys = new byte[_capacity * _keySize];
        _values = new byte[_capacity * _valueSize];
    }

    private void ReadOneByOne()
    {
        fixed (byte* position = _position)
        fixed (byte* next = _next)
        {
            Errno errno = _map.NextKey(_started ? position : null, next);
            if (errno == Errno.ENOENT)
            {
                _ended = true;
                return;
            }

            if (errno != Errno.None)
                throw new LinuxException($"read map {_map.Info.Name}", errno);
        }

        if (++_steps > 4ul * _map.Info.MaxEntries)
            throw new LinuxException($"read map {_map.Info.Name}", Errno.EAGAIN, "entries are deleted faster than they can be read");

        (_position, _next) = (_next, _position);
        _started = true;
        _position.AsSpan(0, _keySize).CopyTo(_keys);
        Count = _map.TryLookup(_position.AsSpan(0, _keySize), _values.AsSpan(0, _valueSize)) ? 1 : 0;
    }
}
