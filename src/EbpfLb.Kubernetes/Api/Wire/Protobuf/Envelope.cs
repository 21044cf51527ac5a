// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Manifests.Decoding;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Api.Wire.Protobuf;

/// <summary>What a message of the API comes in: four bytes of magic, what it is, and the message itself.</summary>
internal readonly ref struct Envelope
{
    private Envelope(Identity identity, ReadOnlySpan<byte> content)
    {
        Identity = identity;
        Content = content;
    }

    public Identity Identity { get; }

    public ReadOnlySpan<byte> Content { get; }

    private static ReadOnlySpan<byte> Magic => "k8s\0"u8;

    /// <exception cref="WireException">There is no envelope, or it is damaged.</exception>
    public static Envelope Open(ReadOnlySpan<byte> message, TextPool texts)
    {
        if (!message.StartsWith(Magic))
            throw new WireException("a message does not begin as the API's protobuf does");

        var identity = new Identity("", "");
        ReadOnlySpan<byte> content = default;
        for (var fields = new ProtoReader(message[Magic.Length..]); fields.Read();)
        {
            switch (fields.Field)
            {
                case Messages.Unknown.TypeMetaFieldNumber:
                    identity = ReadIdentity(fields.Bytes, texts);
                    break;
                case Messages.Unknown.RawFieldNumber:
                    content = fields.Bytes;
                    break;
                case Messages.Unknown.ContentEncodingFieldNumber when !fields.Bytes.IsEmpty:
                    throw new WireException($"a message has the content encoding {PrintableText.Quote(texts.Share(fields.Bytes))}, "
                        + "and the API uses none");
            }
        }

        return new Envelope(identity, content);
    }

    private static Identity ReadIdentity(ReadOnlySpan<byte> typeMeta, TextPool texts)
    {
        var identity = new Identity("", "");
        for (var fields = new ProtoReader(typeMeta); fields.Read();)
        {
            switch (fields.Field)
            {
                case Messages.TypeMeta.ApiVersionFieldNumber:
                    identity = identity with { ApiVersion = texts.Share(fields.Bytes) };
                    break;
                case Messages.TypeMeta.KindFieldNumber:
                    identity = identity with { Kind = texts.Share(fields.Bytes) };
                    break;
            }
        }

        return identity;
    }
}
