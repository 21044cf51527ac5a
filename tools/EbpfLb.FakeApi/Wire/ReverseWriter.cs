// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;

namespace EbpfLb.FakeApi.Wire;

/// <summary>Writes protobuf from its end to its beginning, so that the length of a message is known where it is written.</summary>
internal sealed class ReverseWriter
{
    private const int Number = 0;
    private const int LengthDelimited = 2;

    private byte[] _buffer = new byte[1024];
    private int _start = 1024;

    public int Length => _buffer.Length - _start;

    public byte[] ToArray() => _buffer.AsSpan(_start).ToArray();

    public void Clear() => _start = _buffer.Length;

    public void Integer(int number, long value)
    {
        Varint((ulong)value);
        Tag(number, Number);
    }

    public void Text(int number, string value)
    {
        int before = Length;
        Encoding.UTF8.GetBytes(value, Take(Encoding.UTF8.GetByteCount(value)));
        EndOfMessage(number, before);
    }

    public void Bytes(int number, ReadOnlySpan<byte> value)
    {
        int before = Length;
        value.CopyTo(Take(value.Length));
        EndOfMessage(number, before);
    }

    /// <param name="lengthBefore">Of what had been written before the content of the message was.</param>
    public void EndOfMessage(int number, int lengthBefore)
    {
        Varint((ulong)(Length - lengthBefore));
        Tag(number, LengthDelimited);
    }

    public static int VarintSize(ulong value)
    {
        int size = 1;
        while ((value >>= 7) != 0)
            size++;
        return size;
    }

    public static int WriteVarint(Span<byte> target, ulong value)
    {
        int index = 0;
        for (; value >= 0x80; value >>= 7)
            target[index++] = (byte)(value | 0x80);
        target[index++] = (byte)value;
        return index;
    }

    private void Tag(int number, int wireType) => Varint((ulong)(number << 3 | wireType));

    private void Varint(ulong value) => WriteVarint(Take(VarintSize(value)), value);

    private Span<byte> Take(int count)
    {
        if (_start < count)
        {
            byte[] larger = new byte[Math.Max(_buffer.Length * 2, Length + count)];
            _buffer.AsSpan(_start).CopyTo(larger.AsSpan(larger.Length - Length));
            _start = larger.Length - Length;
            _buffer = larger;
        }
        _start -= count;
        return _buffer.AsSpan(_start, count);
    }
}
