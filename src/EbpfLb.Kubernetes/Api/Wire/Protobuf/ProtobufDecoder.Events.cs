// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;

namespace EbpfLb.Kubernetes.Api.Wire.Protobuf;

internal sealed partial class ProtobufDecoder
{
    public override WatchEvent? ReadEvent(ReadOnlyMemory<byte> frame)
    {
        string? type = null;
        ReadOnlySpan<byte> message = default;
        for (var fields = new ProtoReader(frame.Span); fields.Read();)
        {
            switch (fields.Field)
            {
                case Messages.WatchEvent.TypeFieldNumber:
                    type = _texts.Share(fields.Bytes);
                    break;
                case Messages.WatchEvent.ObjectFieldNumber:
                    message = ReadRaw(fields.Bytes);
                    break;
            }
        }

        var told = new WatchEvent(EventType(type));
        return told.Type switch
        {
            WatchEventType.Error => told with { Status = ProtobufStatus.ReadMessage(message) },
            WatchEventType.Bookmark => ReadBookmark(told, message),
            _ => ReadChange(told, message),
        };
    }

    private static ReadOnlySpan<byte> ReadRaw(ReadOnlySpan<byte> rawExtension)
    {
        ReadOnlySpan<byte> raw = default;
        for (var fields = new ProtoReader(rawExtension); fields.Read();)
        {
            if (fields.Field == Messages.RawExtension.RawFieldNumber)
                raw = fields.Bytes;
        }

        return raw;
    }

    private WatchEvent ReadChange(WatchEvent told, ReadOnlySpan<byte> message)
    {
        var expected = ResourceIdentity.OfObject(resource.Kind);
        try
        {
            var envelope = Envelope.Open(message, _texts);
            if (envelope.Identity != expected)
                return told with { Defect = WireDefect.Of(null, WireText.NoObject(envelope.Identity)) };

            var objects = new ObjectReader(_texts);
            var item = ReadObject(objects, envelope.Content, out var defect);
            return told with { Object = item, ResourceVersion = objects.Metadata?.ResourceVersion, Defect = defect };
        }
        catch (WireException error)
        {
            return told with { Defect = WireDefect.Of(null, error.Message) };
        }
    }

    /// <summary>A bookmark is an object of the resource that has nothing but metadata.</summary>
    private WatchEvent ReadBookmark(WatchEvent told, ReadOnlySpan<byte> message)
    {
        if (message.IsEmpty)
            return told;

        for (var fields = new ProtoReader(Envelope.Open(message, _texts).Content); fields.Read();)
        {
            // The four resources number it alike.
            if (fields.Field != Messages.Service.MetadataFieldNumber)
                continue;

            for (var metadata = new ProtoReader(fields.Bytes); metadata.Read();)
            {
                switch (metadata.Field)
                {
                    case Messages.ObjectMeta.ResourceVersionFieldNumber when !metadata.Bytes.IsEmpty:
                        told = told with { ResourceVersion = Encoding.UTF8.GetString(metadata.Bytes) };
                        break;
                    case Messages.ObjectMeta.AnnotationsFieldNumber when MapEntry.Read(metadata.Bytes).IsInitialEventsEnd:
                        told = told with { InitialEventsEnd = true };
                        break;
                }
            }
        }

        return told;
    }

    /// <returns>Null when it cannot be read, or has no name; <paramref name="defect"/> says why then.</returns>
    private ApiObject? ReadObject(ObjectReader objects, ReadOnlySpan<byte> message, out WireDefect? defect)
    {
        string problem = "metadata.name is missing";
        try
        {
            var item = objects.ReadObject(resource.Kind, message);
            if (!string.IsNullOrEmpty(objects.Metadata?.Name))
            {
                defect = null;
                return item;
            }
        }
        catch (WireException error) when (!objects.IsExhausted)
        {
            problem = error.Message;
        }

        defect = WireDefect.Of(objects.Metadata, problem);
        return null;
    }
}
