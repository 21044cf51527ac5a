// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Tests.Api.Wire;

/// <summary>Gives its bytes in pieces: up to the first cut, up to the next, and so on; or in pieces of one size.</summary>
internal sealed class ChunkedStream(byte[] content, Func<int, int> nextCut) : Stream
{
    private int _position;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public static ChunkedStream CutAt(byte[] content, int cut) => new(content, position => position < cut ? cut : content.Length);

    public static ChunkedStream OfPieces(byte[] content, int size) => new(content, position => position + size);

    public override int Read(Span<byte> buffer)
    {
        int count = Math.Min(Math.Min(nextCut(_position), content.Length) - _position, buffer.Length);
        content.AsSpan(_position, count).CopyTo(buffer);
        _position += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
