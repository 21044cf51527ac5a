// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using System.Text;
using EbpfLb.Kubernetes.Api;
using EbpfLb.Kubernetes.Api.Wire;
using Google.Protobuf;
using Messages = EbpfLb.Kubernetes.Api.Wire.Messages;

namespace EbpfLb.Kubernetes.Tests.Api.Wire;

/// <summary>Makes bodies as a server does, and reads them through the public entry.</summary>
internal static class Wires
{
    private static readonly byte[] Magic = [.. "k8s\0"u8];

    public static byte[] Envelope(string apiVersion, string kind, IMessage message) => Envelope(apiVersion, kind, message.ToByteArray());

    public static byte[] Envelope(string apiVersion, string kind, byte[] raw) =>
    [
        .. Magic,
        .. new Messages.Unknown
        {
            TypeMeta = new Messages.TypeMeta { ApiVersion = apiVersion, Kind = kind },
            Raw = ByteString.CopyFrom(raw),
            ContentEncoding = "",
            ContentType = "",
        }.ToByteArray(),
    ];

    public static byte[] SliceList(params Messages.EndpointSlice[] slices) => Envelope("discovery.k8s.io/v1", "EndpointSliceList",
        new Messages.EndpointSliceList { Metadata = new Messages.ListMeta { ResourceVersion = "7" }, Items = { slices } });

    /// <summary>Of items that may be damaged.</summary>
    public static byte[] ServiceList(params byte[][] items) => Envelope("v1", "ServiceList",
    [
        .. new Messages.ServiceList { Metadata = new Messages.ListMeta { ResourceVersion = "9" } }.ToByteArray(),
        .. items.SelectMany(Item),
    ]);

    /// <summary>An item of a list, which may be damaged.</summary>
    public static byte[] Item(byte[] message)
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream, leaveOpen: true))
        {
            output.WriteTag(Messages.ServiceList.ItemsFieldNumber, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(message));
        }

        return stream.ToArray();
    }

    public static byte[] SliceFrame(string type, Messages.EndpointSlice slice) =>
        Frame(type, Envelope("discovery.k8s.io/v1", "EndpointSlice", slice));

    public static byte[] Frame(string type, byte[] message)
    {
        var told = new Messages.WatchEvent { Type = type, Object = new Messages.RawExtension { Raw = ByteString.CopyFrom(message) } };
        return LengthPrefixed(told.ToByteArray());
    }

    public static byte[] LengthPrefixed(byte[] content)
    {
        byte[] prefix = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(prefix, (uint)content.Length);
        return [.. prefix, .. content];
    }

    public static async Task<ListPage> ReadList(byte[] body, string? contentType, ApiResource resource)
    {
        using var stream = new MemoryStream(body);
        return await WireReader.ReadListAsync(stream, contentType, resource, CancellationToken.None);
    }

    public static Task<ListPage> ReadJsonList(string body, ApiResource resource) =>
        ReadList(Encoding.UTF8.GetBytes(body), Recordings.Json, resource);

    public static async Task<List<WatchEvent>> ReadWatch(byte[] body, string? contentType, ApiResource resource)
    {
        using var stream = new MemoryStream(body);
        return await ReadWatch(stream, contentType, resource);
    }

    public static async Task<List<WatchEvent>> ReadWatch(Stream body, string? contentType, ApiResource resource)
    {
        var told = new List<WatchEvent>();
        await foreach (var item in WireReader.ReadWatchAsync(body, contentType, resource, CancellationToken.None))
            told.Add(item);
        return told;
    }

    public static async Task<ApiStatus> ReadStatus(byte[] body, string? contentType, int code)
    {
        using var stream = new MemoryStream(body);
        return await WireReader.ReadStatusAsync(stream, contentType, code, CancellationToken.None);
    }
}
