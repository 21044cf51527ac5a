// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Api;
using EbpfLb.Kubernetes.Api.Wire;
using Google.Protobuf;
using Messages = EbpfLb.Kubernetes.Api.Wire.Messages;

namespace EbpfLb.Kubernetes.Tests.Api.Wire;

/// <summary>What a server announces costs nothing; what it sends costs a small multiple of itself, up to a limit.</summary>
public sealed class WireLimitTests
{
    [Theory]
    [InlineData(0xffff_ffff)]
    [InlineData(0x8000_0000)]
    [InlineData(64 * 1024 * 1024 - 3)]
    public async Task A_frame_that_is_announced_too_large_is_refused_before_it_comes(uint length)
    {
        byte[] body = [(byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length, 1, 2, 3];

        long before = GC.GetAllocatedBytesForCurrentThread();
        var error = await Assert.ThrowsAsync<WireException>(() => Wires.ReadWatch(body, Recordings.ProtobufWatch, ApiResource.Services));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 256 * 1024);
        Assert.Contains(length.ToString(System.Globalization.CultureInfo.InvariantCulture), error.Message);
    }

    [Fact]
    public async Task A_frame_that_is_announced_large_and_does_not_come_allocates_nothing_for_it()
    {
        byte[] body = [0x03, 0xff, 0xff, 0xfc, 1, 2, 3];

        long before = GC.GetAllocatedBytesForCurrentThread();
        await Assert.ThrowsAnyAsync<IOException>(() => Wires.ReadWatch(body, Recordings.ProtobufWatch, ApiResource.Services));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 256 * 1024);
    }

    [Fact]
    public async Task A_field_that_is_announced_larger_than_its_message_allocates_nothing_for_it()
    {
        byte[] body = [.. "k8s\0"u8, 0x12, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3];

        long before = GC.GetAllocatedBytesForCurrentThread();
        await Assert.ThrowsAsync<WireException>(() => Wires.ReadList(body, Recordings.Protobuf, ApiResource.Services));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 256 * 1024);
    }

    [Fact]
    public async Task A_line_without_an_end_is_refused_at_the_limit()
    {
        using var stream = new EndlessStream((byte)' ');

        await Assert.ThrowsAsync<WireException>(() => Wires.ReadWatch(stream, Recordings.Json, ApiResource.Services));

        Assert.InRange(stream.Given, WireLimits.MaxFrameBytes, 2L * WireLimits.MaxFrameBytes);
    }

    [Fact]
    public async Task A_buffer_takes_its_limit_and_not_a_byte_more_than_its_array()
    {
        using var stream = new EndlessStream(1);
        using var buffer = new StreamBuffer(stream, 100_000);

        await Assert.ThrowsAsync<WireException>(async () =>
        {
            while (await buffer.ReadMoreAsync(CancellationToken.None))
            {
            }
        });

        Assert.InRange(buffer.Unread.Length, 100_000, 131_072);
    }

    [Fact]
    public async Task A_buffer_keeps_what_is_unread_through_growth_and_consumption()
    {
        byte[] content = new byte[300_000];
        new Random(7).NextBytes(content);
        using var buffer = new StreamBuffer(ChunkedStream.OfPieces(content, 977), content.Length);
        var random = new Random(8);
        int consumed = 0;

        while (await buffer.ReadMoreAsync(CancellationToken.None))
        {
            Assert.True(buffer.Unread.Span.SequenceEqual(content.AsSpan(consumed, buffer.Unread.Length)));
            int count = random.Next(3) == 0 ? random.Next(Math.Min(buffer.Unread.Length, 4_000) + 1) : 0;
            buffer.Consume(count);
            consumed += count;
        }

        Assert.True(buffer.Unread.Span.SequenceEqual(content.AsSpan(consumed)));
    }

    [Fact]
    public async Task More_items_than_a_message_may_have_are_refused()
    {
        var slice = new Messages.EndpointSlice { Metadata = new Messages.ObjectMeta { Name = "web-1" } };
        byte[] empty = new byte[2 * (WireLimits.MaxElements + 1)];
        for (int i = 0; i < empty.Length; i += 2)
            empty[i] = 0x12;
        byte[] body = Wires.Frame("ADDED", Wires.Envelope("discovery.k8s.io/v1", "EndpointSlice", [.. slice.ToByteArray(), .. empty]));

        long before = GC.GetAllocatedBytesForCurrentThread();
        var told = Assert.Single(await Wires.ReadWatch(body, Recordings.ProtobufWatch, ApiResource.EndpointSlices));

        Assert.Contains("items", told.Defect!.Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 12L * body.Length);
    }

    private sealed class EndlessStream(byte content) : MemoryStream
    {
        public long Given { get; private set; }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            buffer.Span.Fill(content);
            Given += buffer.Length;
            return new(buffer.Length);
        }
    }
}
