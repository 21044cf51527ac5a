// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;

namespace EbpfLb.Datapath.Contract;

/// <summary>A 16-bit number in network order: the type makes the swap, so that nobody can forget it.</summary>
public readonly struct BigEndian16(ushort value) : IEquatable<BigEndian16>
{
    private readonly ushort _raw = BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;

    public ushort Value => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(_raw) : _raw;

    public static bool operator ==(BigEndian16 left, BigEndian16 right) => left.Equals(right);

    public static bool operator !=(BigEndian16 left, BigEndian16 right) => !left.Equals(right);

    public bool Equals(BigEndian16 other) => _raw == other._raw;

    public override bool Equals(object? obj) => obj is BigEndian16 other && Equals(other);

    public override int GetHashCode() => _raw;

    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
