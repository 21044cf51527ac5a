// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using EbpfLb.Kubernetes.Manifests.Decoding;
using EbpfLb.Kubernetes.Objects;

namespace EbpfLb.Kubernetes.Api.Wire.Protobuf;

/// <summary>
/// From messages straight to the objects that translation takes. The server writes the zero of a field that is not set, unless it can
/// tell the two apart itself; where its JSON leaves the zero out, it reads as null here. A message or field that comes twice counts
/// as it came last.
/// </summary>
internal sealed partial class ObjectReader(TextPool texts)
{
    private int _elementsLeft = WireLimits.MaxElements;

    /// <summary>No further object of this message can be read.</summary>
    public bool IsExhausted => _elementsLeft < 0;

    /// <summary>Of the object that is being read or was read last; null until they were reached.</summary>
    public ObjectMeta? Metadata { get; private set; }

    /// <exception cref="WireException">The message is no object of that kind.</exception>
    public ApiObject ReadObject(ResourceKind kind, ReadOnlySpan<byte> message)
    {
        Metadata = null;
        Spend(1);
        return kind switch
        {
            ResourceKind.Service => new ApiObject { Service = ReadService(message) },
            ResourceKind.EndpointSlice => new ApiObject { Slice = ReadEndpointSlice(message) },
            ResourceKind.Node => new ApiObject { Node = ReadNode(message) },
            _ => new ApiObject { ServiceCidr = ReadServiceCidr(message) },
        };
    }

    private static string Text(ReadOnlySpan<byte> utf8) => utf8.IsEmpty ? "" : Encoding.UTF8.GetString(utf8);

    private static string? TextOrNull(ReadOnlySpan<byte> utf8) => utf8.IsEmpty ? null : Encoding.UTF8.GetString(utf8);

    private string Shared(ReadOnlySpan<byte> utf8) => texts.Share(utf8);

    private string? SharedOrNull(ReadOnlySpan<byte> utf8) => utf8.IsEmpty ? null : texts.Share(utf8);

    /// <summary>For the field that the reader stopped at and all of its kind behind it.</summary>
    private T[] NewArray<T>(in ProtoReader fields)
    {
        int count = fields.CountFromHere();
        Spend(count);
        return new T[count];
    }

    private void Spend(int elements)
    {
        _elementsLeft -= elements;
        if (_elementsLeft < 0)
            throw new WireException($"lists have more than {WireLimits.MaxElements} items in one message");
    }

    /// <summary>A list whose items stand anywhere among the other fields.</summary>
    private struct Repeated<T>
    {
        private T[]? _items;
        private int _count;

        public readonly IReadOnlyList<T>? Items => _items;

        public void Add(ObjectReader reader, in ProtoReader fields, T item)
        {
            _items ??= reader.NewArray<T>(fields);
            _items[_count++] = item;
        }
    }
}
