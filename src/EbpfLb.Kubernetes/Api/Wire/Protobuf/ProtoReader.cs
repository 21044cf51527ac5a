// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Api.Wire.Protobuf;

/// <summary>
/// The fields of one message in the order in which they stand. Looks at no byte beyond the message, and allocates nothing: what is not
/// asked for costs its tag and its length.
/// </summary>
internal ref struct ProtoReader(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> _rest = message;
    private ReadOnlySpan<byte> _bytes;
    private ulong _number;
    private Encoding _encoding;

    // The three bits below the number of a field. 3 and 4, groups, the API does not use.
    private enum Encoding
    {
        Varint = 0,
        Fixed64 = 1,
        Bytes = 2,
        Fixed32 = 5,
    }

    /// <summary>Number of the field that <see cref="Read"/> stopped at.</summary>
    public int Field { get; private set; }

    /// <summary>Of a text, of bytes or of a message.</summary>
    public readonly ReadOnlySpan<byte> Bytes => _encoding == Encoding.Bytes ? _bytes : throw UnexpectedEncoding();

    public readonly long Int64 => _encoding == Encoding.Varint ? unchecked((long)_number) : throw UnexpectedEncoding();

    /// <summary>The lower half of what stands there, as protobuf has it.</summary>
    public readonly int Int32 => unchecked((int)Int64);

    public readonly bool Boolean => Int64 != 0;

    /// <returns>False at the end of the message.</returns>
    /// <exception cref="WireException">No field stands there.</exception>
    public bool Read()
    {
        if (_rest.IsEmpty)
            return false;

        ulong tag = ReadVarint();
        if (tag is < 8 or > uint.MaxValue)
            throw new WireException("a field has a number that no field can have");

        Field = (int)(tag >> 3);
        _encoding = (Encoding)(tag & 7);
        switch (_encoding)
        {
            case Encoding.Varint:
                _number = ReadVarint();
                break;
            case Encoding.Bytes:
                _bytes = Take(ReadVarint());
                break;
            case Encoding.Fixed64:
                Take(sizeof(ulong));
                break;
            case Encoding.Fixed32:
                Take(sizeof(uint));
                break;
            default:
                throw UnexpectedEncoding();
        }

        return true;
    }

    /// <returns>How often the field that <see cref="Read"/> stopped at comes, from here to the end.</returns>
    public readonly int CountFromHere()
    {
        int count = 1;
        for (var ahead = this; ahead.Read();)
            count += ahead.Field == Field ? 1 : 0;
        return count;
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)_rest.Length)
            throw new WireException($"field {Field} has {length} bytes, and its message has {_rest.Length} left");

        var taken = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return taken;
    }

    private ulong ReadVarint()
    {
        ulong value = 0;
        for (int i = 0, shift = 0; i < _rest.Length && shift < 64; i++, shift += 7)
        {
            byte part = _rest[i];
            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80)
            {
                _rest = _rest[(i + 1)..];
                return value;
            }
        }

        throw new WireException("a number has no end");
    }

    private readonly WireException UnexpectedEncoding() => new($"field {Field} is encoded in another way than the API encodes it");
}
