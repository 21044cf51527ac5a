// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Manifests.Decoding;

namespace EbpfLb.Kubernetes.Api.Wire.Json;

/// <summary>
/// application/json, by the same trees and decoders as manifests. A field of the wrong type reads as absent, and the object says so. A frame of a watch is a line.
/// </summary>
internal sealed class JsonDecoder(ApiResource resource) : WireDecoder
{
    private readonly JsonObjects _objects = new(resource.Kind);

    public override ListPage ReadList(ReadOnlyMemory<byte> body)
    {
        var found = new Identity("", "");
        ReadOnlyMemory<byte> metadata = default, items = default;
        for (var members = new JsonSlices(body); members.Read();)
        {
            if (members.Name.SequenceEqual("apiVersion"u8))
                found = found with { ApiVersion = JsonTree.ReadText(members.Value) ?? "" };
            else if (members.Name.SequenceEqual("kind"u8))
                found = found with { Kind = JsonTree.ReadText(members.Value) ?? "" };
            else if (members.Name.SequenceEqual("metadata"u8))
                metadata = members.Value;
            else if (members.Name.SequenceEqual("items"u8))
                items = members.ValueOrNothing;
        }

        if (found != ResourceIdentity.OfList(resource.Kind))
            throw WireText.NoList(resource, found);

        var defects = new List<WireDefect>();
        var objects = ReadItems(items, defects);
        var (resourceVersion, next) = JsonObjects.ReadListMetadata(metadata);
        return new ListPage(objects, resourceVersion, next, defects);
    }

    public override Frame? FindFrame(ReadOnlySpan<byte> unread, int seen)
    {
        int length = unread[seen..].IndexOf((byte)'\n');
        return length < 0 ? null : new Frame(0, seen + length, seen + length + 1);
    }

    public override WatchEvent? ReadEvent(ReadOnlyMemory<byte> frame)
    {
        if (frame.Span.Trim(" \t\r"u8).IsEmpty)
            return null;

        string? type = null;
        ReadOnlyMemory<byte> item = default;
        for (var members = new JsonSlices(frame); members.Read();)
        {
            if (members.Name.SequenceEqual("type"u8))
                type = JsonTree.ReadText(members.Value);
            else if (members.Name.SequenceEqual("object"u8))
                item = members.ValueOrNothing;
        }

        var told = new WatchEvent(EventType(type));
        switch (told.Type)
        {
            case WatchEventType.Error:
                return told with { Status = JsonStatus.Read(item) };
            case WatchEventType.Bookmark:
                var (version, isEnd) = JsonObjects.ReadBookmark(item);
                return told with { ResourceVersion = version, InitialEventsEnd = isEnd };
            default:
                var changed = _objects.Read(item, mustSayWhatItIs: true, out var defect);
                var metadata = changed?.Metadata ?? defect?.Metadata;
                return told with { Object = changed, ResourceVersion = metadata?.ResourceVersion, Defect = defect };
        }
    }

    private List<ApiObject> ReadItems(ReadOnlyMemory<byte> items, List<WireDefect> defects)
    {
        var objects = new List<ApiObject>();
        if (items.IsEmpty)
            return objects;

        var slices = new JsonSlices(items);
        if (slices.IsObject)
            throw new WireException("the items of a list are an object");

        while (slices.Read())
        {
            if (_objects.Read(slices.Value, mustSayWhatItIs: false, out var defect) is { } item)
                objects.Add(item);
            else
                defects.Add(defect!);
            if (defects.Count > WireLimits.MaxDefects)
                throw WireText.TooManyDefects(defects[0]);
        }

        return objects;
    }
}
