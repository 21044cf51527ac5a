// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Runtime.CompilerServices;

namespace EbpfLb.Datapath.Contract;

/// <summary>An Ethernet address, in the order of the frame.</summary>
[InlineArray(Length)]
public struct MacAddress : IEquatable<MacAddress>
{
    public const int Length = 6;

    private byte _first;

    public MacAddress(ReadOnlySpan<byte> bytes) => bytes[..Length].CopyTo(this);

    public static bool operator ==(MacAddress left, MacAddress right) => left.Equals(right);

    public static bool operator !=(MacAddress left, MacAddress right) => !left.Equals(right);

    public readonly bool Equals(MacAddress other) => ((ReadOnlySpan<byte>)this).SequenceEqual(other);

    public override readonly bool Equals(object? obj) => obj is MacAddress other && Equals(other);

    public override readonly int GetHashCode() => HashCode.Combine(this[2], this[3], this[4], this[5]);

    public override readonly string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{this[0]:x2}:{this[1]:x2}:{this[2]:x2}:{this[3]:x2}:{this[4]:x2}:{this[5]:x2}");
}
