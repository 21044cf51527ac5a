// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Frozen;
using EbpfLb.Kubernetes.Objects;

namespace EbpfLb.Kubernetes.Api.Wire.Protobuf;

internal sealed partial class ObjectReader
{
    private static readonly long FirstSecond = DateTimeOffset.MinValue.ToUnixTimeSeconds();
    private static readonly long LastSecond = DateTimeOffset.MaxValue.ToUnixTimeSeconds();

    private ObjectMeta ReadMetadata(ReadOnlySpan<byte> message)
    {
        string? objectNamespace = null, name = null, uid = null, resourceVersion = null;
        DateTimeOffset? creation = null, deletion = null;
        Dictionary<string, string>? labels = null, annotations = null;
        for (var fields = new ProtoReader(message); fields.Read();)
        {
            switch (fields.Field)
            {
                case Messages.ObjectMeta.NameFieldNumber:
                    name = TextOrNull(fields.Bytes);
                    break;
                case Messages.ObjectMeta.NamespaceFieldNumber:
                    objectNamespace = SharedOrNull(fields.Bytes);
                    break;
                case Messages.ObjectMeta.UidFieldNumber:
                    uid = TextOrNull(fields.Bytes);
                    break;
                case Messages.ObjectMeta.ResourceVersionFieldNumber:
                    resourceVersion = TextOrNull(fields.Bytes);
                    break;
                case Messages.ObjectMeta.CreationTimestampFieldNumber:
                    creation = ReadTime(fields.Bytes);
                    break;
                case Messages.ObjectMeta.DeletionTimestampFieldNumber:
                    deletion = ReadTime(fields.Bytes);
                    break;
                case Messages.ObjectMeta.LabelsFieldNumber:
                    ReadEntry(fields.Bytes, WellKnown.Labels, ref labels);
                    break;
                case Messages.ObjectMeta.AnnotationsFieldNumber:
                    ReadEntry(fields.Bytes, WellKnown.Annotations, ref annotations);
                    break;
            }
        }

        return Metadata = new ObjectMeta
        {
            Namespace = objectNamespace,
            Name = name,
            Uid = uid,
            ResourceVersion = resourceVersion,
            CreationTimestamp = creation,
            DeletionTimestamp = deletion,
            Labels = labels,
            Annotations = annotations,
        };
    }

    private static DateTimeOffset? ReadTime(ReadOnlySpan<byte> message)
    {
        if (message.IsEmpty)
            return null;

        long seconds = 0;
        for (var fields = new ProtoReader(message); fields.Read();)
        {
            // The API's times are whole seconds; its JSON cannot say more.
            if (fields.Field == Messages.Time.SecondsFieldNumber)
                seconds = fields.Int64;
        }

        return seconds >= FirstSecond && seconds <= LastSecond
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : throw new WireException($"a timestamp is {seconds} seconds after 1970, which is no time");
    }

    private void ReadEntry(ReadOnlySpan<byte> message, FrozenSet<string> wanted, ref Dictionary<string, string>? found)
    {
        var entry = MapEntry.Read(message);
        if (entry.KeyIn(wanted) is { } key)
            (found ??= new(StringComparer.Ordinal))[key] = Shared(entry.Value);
    }
}
