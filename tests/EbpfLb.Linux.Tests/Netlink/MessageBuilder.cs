// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using EbpfLb.Linux.Netlink;

namespace EbpfLb.Linux.Tests.Netlink;

/// <summary>Payloads as the kernel lays them out: a fixed header, then attributes, each padded to 4 bytes.</summary>
internal static class MessageBuilder
{
    public static byte[] Link(byte family, int index, uint flags, params ReadOnlySpan<byte[]> attributes)
    {
        byte[] header = new byte[RouteMessages.LinkHeaderSize];
        header[0] = family;
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(2), 1);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4), index);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(8), flags);
        return Join([header, .. attributes]);
    }

    public static byte[] Address(byte family, byte length, int index, params ReadOnlySpan<byte[]> attributes)
    {
        byte[] header = new byte[RouteMessages.AddressHeaderSize];
        (header[0], header[1]) = (family, length);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4), index);
        return Join([header, .. attributes]);
    }

    public static byte[] Route(byte family, byte length, byte table, params ReadOnlySpan<byte[]> attributes)
        => Join([[family, length, 0, 0, table, 0, 0, 1, 0, 0, 0, 0], .. attributes]);

    public static byte[] Neighbor(byte family, int index, ushort state, params ReadOnlySpan<byte[]> attributes)
    {
        byte[] header = new byte[RouteMessages.NeighborHeaderSize];
        header[0] = family;
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4), index);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), state);
        return Join([header, .. attributes]);
    }

    public static byte[] Attribute(int type, params ReadOnlySpan<byte> value)
    {
        byte[] attribute = new byte[NetlinkMessage.Align(NetlinkAttributes.HeaderSize + value.Length)];
        NetlinkMessage.WriteAttribute(attribute, type, value);
        return attribute;
    }

    public static byte[] Number(int type, uint value) => Attribute(type, BitConverter.GetBytes(value));

    public static byte[] Nested(int type, params ReadOnlySpan<byte[]> attributes) => Attribute(type | 0x8000, Join(attributes));

    public static byte[] NextHop(int index, params ReadOnlySpan<byte[]> attributes)
    {
        byte[] hop = Join([new byte[8], .. attributes]);
        BinaryPrimitives.WriteUInt16LittleEndian(hop, (ushort)hop.Length);
        BinaryPrimitives.WriteInt32LittleEndian(hop.AsSpan(4), index);
        return hop;
    }

    public static byte[] Message(ushort type, ushort flags, byte[] payload)
    {
        byte[] message = Join([new byte[NetlinkMessage.HeaderSize], payload]);
        NetlinkMessage.WriteHeader(message, type, flags, sequence: 5);
        return message;
    }

    public static byte[] Join(params ReadOnlySpan<byte[]> parts) => [.. parts.ToArray().SelectMany(part => part)];
}
