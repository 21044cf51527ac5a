// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.CompilerServices;
using EbpfLb.Kubernetes.Api.Wire.Json;
using EbpfLb.Kubernetes.Api.Wire.Protobuf;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Api.Wire;

/// <summary>From the body of a response to objects, in whichever of the two encodings the server chose.</summary>
internal static class WireReader
{
    /// <summary>In the order of preference.</summary>
    public const string AcceptList = "application/vnd.kubernetes.protobuf, application/json";

    /// <summary>In the order of preference.</summary>
    public const string AcceptWatch = "application/vnd.kubernetes.protobuf;stream=watch, application/json;stream=watch, application/json";

    /// <exception cref="WireException">The body is no list of this resource.</exception>
    public static async Task<ListPage> ReadListAsync(
        Stream body, string? contentType, ApiResource resource, CancellationToken cancellation)
    {
        var decoder = DecoderFor(contentType, resource);
        using var buffer = new StreamBuffer(body, WireLimits.MaxBodyBytes);
        while (await buffer.ReadMoreAsync(cancellation).ConfigureAwait(false))
        {
        }

        return decoder.ReadList(buffer.Unread);
    }

    /// <summary>Ends where the stream ends between two frames.</summary>
    /// <exception cref="WireException">The bytes are no frames of a watch.</exception>
    /// <exception cref="IOException">The stream ends within a frame.</exception>
    public static IAsyncEnumerable<WatchEvent> ReadWatchAsync(
        Stream body, string? contentType, ApiResource resource, CancellationToken cancellation) =>
        ReadFramesAsync(body, DecoderFor(contentType, resource), cancellation);

    /// <summary>
    /// Never throws for what the body holds, or for one that ends early: a proxy's page of HTML is a status without a reason.
    /// </summary>
    public static async Task<ApiStatus> ReadStatusAsync(Stream body, string? contentType, int code, CancellationToken cancellation)
    {
        using var buffer = new StreamBuffer(body, WireLimits.MaxStatusBytes);
        try
        {
            while (await buffer.ReadMoreAsync(cancellation).ConfigureAwait(false))
            {
            }

            return WireEncodings.Of(contentType) switch
            {
                WireEncoding.Protobuf => ProtobufStatus.ReadMessage(buffer.Unread.Span) with { Code = code },
                WireEncoding.Json => JsonStatus.Read(buffer.Unread) with { Code = code },
                _ => new ApiStatus(code, "", ""),
            };
        }
        catch (Exception error) when (error is WireException or IOException)
        {
            return new ApiStatus(code, "", "");
        }
    }

    private static async IAsyncEnumerable<WatchEvent> ReadFramesAsync(
        Stream body, WireDecoder decoder, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var buffer = new StreamBuffer(body, WireLimits.MaxFrameBytes);
        int seen = 0;
        do
        {
            while (decoder.FindFrame(buffer.Unread.Span, seen) is { } frame)
            {
                var told = decoder.ReadEvent(buffer.Unread.Slice(frame.Start, frame.Length));
                buffer.Consume(frame.End);
                seen = 0;
                if (told is not null)
                    yield return told;
            }

            seen = buffer.Unread.Length;
        }
        while (await buffer.ReadMoreAsync(cancellation).ConfigureAwait(false));

        if (!buffer.Unread.IsEmpty)
            throw new EndOfStreamException($"the watch ended within an event, after {buffer.Unread.Length} bytes of it");
    }

    private static WireDecoder DecoderFor(string? contentType, ApiResource resource) =>
        WireDecoder.For(contentType, resource) ?? throw new WireException(
            $"{resource.Name} came with the content type {PrintableText.Quote(contentType)}, which is neither of the API's encodings; "
            + "is a proxy or something else than an API server answering?");
}
