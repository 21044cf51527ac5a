// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using System.Text;

namespace EbpfLb.FakeApi.Wire;

/// <summary>What stands around a message: magic, its type, and in a watch the event.</summary>
internal static class Envelope
{
    private static readonly byte[] Magic = "k8s\0"u8.ToArray();

    // contentEncoding and contentType, both empty.
    private static readonly byte[] End = [0x1a, 0x00, 0x22, 0x00];

    /// <param name="messageLength">Of the message that follows; after it comes <see cref="Tail"/>.</param>
    public static byte[] Head(string apiVersion, string kind, int messageLength)
    {
        byte[] version = Encoding.UTF8.GetBytes(apiVersion);
        byte[] name = Encoding.UTF8.GetBytes(kind);
        return
        [
            .. Magic,
            .. Prefix(1, FieldSize(version.Length) + FieldSize(name.Length)),
            .. Prefix(1, version.Length), .. version,
            .. Prefix(2, name.Length), .. name,
            .. Prefix(2, messageLength),
        ];
    }

    public static ReadOnlyMemory<byte> Tail => End;

    public static byte[] Wrap(string apiVersion, string kind, byte[] message) =>
        [.. Head(apiVersion, kind, message.Length), .. message, .. End];

    /// <summary>What stands before and after the message in a frame of a watch, length included.</summary>
    public static byte[] FrameHead(string type, string apiVersion, string kind, int messageLength)
    {
        byte[] name = Encoding.UTF8.GetBytes(type);
        byte[] head = Head(apiVersion, kind, messageLength);
        int inner = head.Length + messageLength + End.Length;
        int outer = FieldSize(inner);
        int frame = FieldSize(name.Length) + FieldSize(outer);
        byte[] length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, frame);
        return [.. length, .. Prefix(1, name.Length), .. name, .. Prefix(2, outer), .. Prefix(1, inner), .. head];
    }

    public static byte[] Frame(string type, string apiVersion, string kind, byte[] message) =>
        [.. FrameHead(type, apiVersion, kind, message.Length), .. message, .. End];

    /// <summary>Tag and length of a field of bytes.</summary>
    public static byte[] Prefix(int number, int length)
    {
        byte[] prefix = new byte[1 + ReverseWriter.VarintSize((ulong)length)];
        prefix[0] = (byte)(number << 3 | 2);
        ReverseWriter.WriteVarint(prefix.AsSpan(1), (ulong)length);
        return prefix;
    }

    public static int FieldSize(int length) => 1 + ReverseWriter.VarintSize((ulong)length) + length;

    /// <summary>The message, its version and kind.</summary>
    /// <exception cref="FormatException">The bytes are none of the API.</exception>
    public static (string ApiVersion, string Kind, byte[] Message) Unwrap(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.StartsWith(Magic))
            throw new FormatException("the magic is missing");
        bytes = bytes[Magic.Length..];
        (string version, string kind, byte[] message) = ("", "", []);
        while (ProtobufDecoder.NextField(ref bytes, out int number, out _, out var content))
        {
            if (number == 2)
                message = content.ToArray();
            while (number == 1 && ProtobufDecoder.NextField(ref content, out int part, out _, out var text))
                (version, kind) = part == 1 ? (Encoding.UTF8.GetString(text), kind) : (version, Encoding.UTF8.GetString(text));
        }
        return (version, kind, message);
    }
}
