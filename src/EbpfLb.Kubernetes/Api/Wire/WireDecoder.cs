// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Api.Wire.Json;
using EbpfLb.Kubernetes.Api.Wire.Protobuf;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Api.Wire;

/// <summary>One encoding of the API, for the bodies of one response.</summary>
internal abstract class WireDecoder
{
    /// <returns>Null when the content type is of neither encoding.</returns>
    public static WireDecoder? For(string? contentType, ApiResource resource) => WireEncodings.Of(contentType) switch
    {
        WireEncoding.Protobuf => new ProtobufDecoder(resource),
        WireEncoding.Json => new JsonDecoder(resource),
        _ => null,
    };

    /// <exception cref="WireException">The body is no list of the resource.</exception>
    public abstract ListPage ReadList(ReadOnlyMemory<byte> body);

    /// <param name="unread">Begins where a frame begins.</param>
    /// <param name="seen">So many of these bytes held no whole frame the last time.</param>
    /// <returns>Null until the frame is there as a whole.</returns>
    /// <exception cref="WireException">No frame begins like this.</exception>
    public abstract Frame? FindFrame(ReadOnlySpan<byte> unread, int seen);

    /// <returns>Null for a frame that holds nothing.</returns>
    /// <exception cref="WireException">The frame is no event of a watch.</exception>
    public abstract WatchEvent? ReadEvent(ReadOnlyMemory<byte> frame);

    protected static WatchEventType EventType(string? type) => type switch
    {
        "ADDED" => WatchEventType.Added,
        "MODIFIED" => WatchEventType.Modified,
        "DELETED" => WatchEventType.Deleted,
        "BOOKMARK" => WatchEventType.Bookmark,
        "ERROR" => WatchEventType.Error,
        _ => throw new WireException($"an event of the watch has the type {PrintableText.Quote(type)}, which the API does not have"),
    };
}

/// <param name="Start">Of its content.</param>
/// <param name="Length">Of its content.</param>
/// <param name="End">Where the next one begins.</param>
internal readonly record struct Frame(int Start, int Length, int End);
