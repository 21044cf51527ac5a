// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.IO.Pipelines;
using System.Text;

namespace EbpfLb.Kubernetes.Tests.Api.Support;

/// <summary>The body of a watch. What is sent in one call comes in one piece.</summary>
internal sealed class ScriptedWatch : Stream
{
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 0));
    private readonly Stream _body;

    public ScriptedWatch()
    {
        _body = _pipe.Reader.AsStream();
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public void Send(params string[] frames)
    {
        if (frames.Length > 0)
            Send(Encoding.UTF8.GetBytes(string.Concat(frames)));
    }

    public void Send(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_pipe.Writer.GetSpan(bytes.Length));
        _pipe.Writer.Advance(bytes.Length);
        Assert.True(_pipe.Writer.FlushAsync().AsTask().IsCompleted);
    }

    public void End() => _pipe.Writer.Complete();

    public void Break(string reason = "connection reset by peer") => _pipe.Writer.Complete(new IOException(reason));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _body.ReadAsync(buffer, cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
