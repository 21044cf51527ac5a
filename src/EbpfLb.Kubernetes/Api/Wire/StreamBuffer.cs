// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers;

namespace EbpfLb.Kubernetes.Api.Wire;

/// <summary>
/// The part of a stream that has come and is not consumed yet. Grows only as bytes come, never because a length was announced. What
/// <see cref="Unread"/> returned is void after the next call of any other member.
/// </summary>
internal sealed class StreamBuffer(Stream stream, int limit) : IDisposable
{
    private const int InitialBytes = 16 * 1024;

    // A watch lasts for hours, and one large event in it must not keep a large array with it.
    private const int KeptBytes = 1024 * 1024;

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(InitialBytes);
    private int _start;
    private int _end;

    public ReadOnlyMemory<byte> Unread => _bytes.AsMemory(_start, _end - _start);

    public void Consume(int count)
    {
        _start += count;
        if (_start < _end)
            return;

        _start = _end = 0;
        if (_bytes.Length > KeptBytes)
            Replace(InitialBytes);
    }

    /// <returns>False at the end of the stream.</returns>
    /// <exception cref="WireException">As many bytes as may be are unread already.</exception>
    public async ValueTask<bool> ReadMoreAsync(CancellationToken cancellation)
    {
        MakeRoom();
        int count = await stream.ReadAsync(_bytes.AsMemory(_end), cancellation).ConfigureAwait(false);
        _end += count;
        return count > 0;
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
        _start = _end = 0;
    }

    private void MakeRoom()
    {
        if (_end < _bytes.Length)
            return;

        int unread = _end - _start;
        if (unread >= limit)
            throw new WireException($"the server sends more than the {limit} bytes that one message may have");

        // Half of the array is free after this, so that small reads do not move the rest again and again.
        if (unread > _bytes.Length / 2)
        {
            Replace((int)Math.Min(2L * _bytes.Length, limit));
            return;
        }

        _bytes.AsSpan(_start, unread).CopyTo(_bytes);
        (_start, _end) = (0, unread);
    }

    private void Replace(int size)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(size);
        int unread = _end - _start;
        _bytes.AsSpan(_start, unread).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
        (_start, _end) = (0, unread);
    }
}
