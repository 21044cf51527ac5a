// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.CompilerServices;
using System.Text;

namespace EbpfLb.Datapath.Contract;

/// <summary>NUL-terminated UTF-8 of a fixed size, as a C <c>char</c> array holds it.</summary>
internal static class Text
{
    /// <summary>Fills the whole array; text that does not fit is cut at a character.</summary>
    public static void Write(string text, Span<byte> destination)
    {
        destination.Clear();
        Encoding.UTF8.GetEncoder().Convert(text, destination[..^1], flush: true, out _, out _, out _);
    }

    /// <summary>The same for people: what is cut ends with three dots.</summary>
    public static void WriteMessage(string text, Span<byte> destination)
    {
        ReadOnlySpan<byte> dots = "..."u8;
        Write(text, destination);
        if (Encoding.UTF8.GetByteCount(text) < destination.Length)
            return;

        Write(text, destination[..^dots.Length]);
        dots.CopyTo(destination[destination.IndexOf((byte)0)..]);
        destination[^1] = 0;
    }

    public static string Read(ReadOnlySpan<byte> source)
    {
        int end = source.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? source : source[..end]);
    }
}

[InlineArray(32)]
public struct Text32
{
    private byte _first;

    public static implicit operator Text32(string text)
    {
        Text32 value = default;
        Text.Write(text, value);
        return value;
    }

    public override readonly string ToString() => Text.Read(this);
}

[InlineArray(64)]
public struct Text64
{
    private byte _first;

    public static implicit operator Text64(string text)
    {
        Text64 value = default;
        Text.Write(text, value);
        return value;
    }

    public override readonly string ToString() => Text.Read(this);
}

[InlineArray(128)]
public struct Text128
{
    private byte _first;

    public static implicit operator Text128(string text)
    {
        Text128 value = default;
        Text.Write(text, value);
        return value;
    }

    public override readonly string ToString() => Text.Read(this);
}

/// <summary>LB_NAME_LENGTH</summary>
[InlineArray(192)]
public struct NameText
{
    private byte _first;

    public static implicit operator NameText(string text)
    {
        NameText value = default;
        Text.Write(text, value);
        return value;
    }

    public override readonly string ToString() => Text.Read(this);
}

/// <summary>LB_MESSAGE_LENGTH</summary>
[InlineArray(320)]
public struct MessageText
{
    private byte _first;

    public static implicit operator MessageText(string text)
    {
        MessageText value = default;
        Text.WriteMessage(text, value);
        return value;
    }

    public override readonly string ToString() => Text.Read(this);
}
