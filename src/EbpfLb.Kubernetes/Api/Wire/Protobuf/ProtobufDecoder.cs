// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using System.Text;
using EbpfLb.Kubernetes.Manifests.Decoding;

namespace EbpfLb.Kubernetes.Api.Wire.Protobuf;

/// <summary>application/vnd.kubernetes.protobuf. A frame of a watch is four bytes of length, the highest first, and a WatchEvent.</summary>
internal sealed partial class ProtobufDecoder(ApiResource resource) : WireDecoder
{
    private readonly TextPool _texts = new();

    public override ListPage ReadList(ReadOnlyMemory<byte> body)
    {
        var envelope = Envelope.Open(body.Span, _texts);
        var expected = ResourceIdentity.OfList(resource.Kind);
        if (envelope.Identity != expected)
            throw WireText.NoList(resource, envelope.Identity);

        var objects = new ObjectReader(_texts);
        var items = new List<ApiObject>();
        var defects = new List<WireDefect>();
        (string? ResourceVersion, string? Continue) metadata = default;
        for (var fields = new ProtoReader(envelope.Content); fields.Read();)
        {
            // The four lists number their two fields alike.
            switch (fields.Field)
            {
                case Messages.ServiceList.MetadataFieldNumber:
                    metadata = ReadListMetadata(fields.Bytes);
                    break;
                case Messages.ServiceList.ItemsFieldNumber:
                    if (items.Capacity == 0)
                        items.Capacity = Math.Min(fields.CountFromHere(), WireLimits.MaxElements);
                    if (ReadObject(objects, fields.Bytes, out var defect) is { } item)
                        items.Add(item);
                    else
                        defects.Add(defect!);
                    if (defects.Count > WireLimits.MaxDefects)
                        throw WireText.TooManyDefects(defects[0]);
                    break;
            }
        }

        return new ListPage(items, metadata.ResourceVersion, metadata.Continue, defects);
    }

    public override Frame? FindFrame(ReadOnlySpan<byte> unread, int seen)
    {
        if (!BinaryPrimitives.TryReadUInt32BigEndian(unread, out uint length))
            return null;

        if (length > WireLimits.MaxFrameBytes - sizeof(uint))
            throw new WireException($"an event of the watch announces {length} bytes; {WireLimits.MaxFrameBytes} are read at most");

        int end = sizeof(uint) + (int)length;
        return unread.Length < end ? null : new Frame(sizeof(uint), (int)length, end);
    }

    private static (string? ResourceVersion, string? Continue) ReadListMetadata(ReadOnlySpan<byte> message)
    {
        (string? ResourceVersion, string? Continue) metadata = default;
        for (var fields = new ProtoReader(message); fields.Read();)
        {
            switch (fields.Field)
            {
                case Messages.ListMeta.ResourceVersionFieldNumber when !fields.Bytes.IsEmpty:
                    metadata.ResourceVersion = Encoding.UTF8.GetString(fields.Bytes);
                    break;
                case Messages.ListMeta.ContinueFieldNumber when !fields.Bytes.IsEmpty:
                    metadata.Continue = Encoding.UTF8.GetString(fields.Bytes);
                    break;
            }
        }

        return metadata;
    }
}
