// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace EbpfLb.LoadBalancing.Model;

/// <summary>A network of one family. Bits beyond the length are zero, so that equal networks are equal values.</summary>
public readonly record struct AddressPrefix : IComparable<AddressPrefix>
{
    private const int MappedBits = 96;

    // Of the 128 bits of an address; 96 more than Length in IPv4.
    private readonly byte _bits;

    private AddressPrefix(Address network, int bits)
    {
        Network = network;
        _bits = (byte)bits;
    }

    public Address Network { get; }

    /// <summary>As it is written: at most 32 in IPv4, at most 128 in IPv6.</summary>
    public int Length => Network.IsIPv4 ? _bits - MappedBits : _bits;

    /// <summary>Of the 16 bytes of <see cref="Network"/>, as the maps count.</summary>
    public int Bits => _bits;

    public AddressFamily Family => Network.Family;

    /// <summary>An IPv6 network that holds ::ffff:0:0/96, which is where the maps have IPv4 addresses.</summary>
    public bool HoldsMapped => !Network.IsIPv4 && Mask(Address.Any(AddressFamily.IPv4), _bits) == Network;

    public static bool operator <(AddressPrefix left, AddressPrefix right) => left.CompareTo(right) < 0;

    public static bool operator >(AddressPrefix left, AddressPrefix right) => left.CompareTo(right) > 0;

    public static bool operator <=(AddressPrefix left, AddressPrefix right) => left.CompareTo(right) <= 0;

    public static bool operator >=(AddressPrefix left, AddressPrefix right) => left.CompareTo(right) >= 0;

    /// <summary>The network of this length that the address is in.</summary>
    public static AddressPrefix Of(Address address, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MaxLength(address));
        int bits = address.IsIPv4 ? length + MappedBits : length;
        return new AddressPrefix(Mask(address, bits), bits);
    }

    /// <summary>The one address, and no other.</summary>
    public static AddressPrefix Of(Address address) => Of(address, MaxLength(address));

    public static AddressPrefix Parse(string text) =>
        TryParse(text, out var prefix) ? prefix : throw new FormatException($"'{text}' is not an address with a prefix length.");

    /// <summary>Reads <c>192.0.2.0/24</c> or <c>2001:db8::/32</c>. Bits beyond the length are dropped, as in Kubernetes.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out AddressPrefix prefix)
    {
        prefix = default;
        int slash = text?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        if (slash < 0 || !Address.TryParse(text![..slash], out var address)
            || !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int length)
            || length > MaxLength(address))
            return false;

        prefix = Of(address, length);
        return true;
    }

    // An IPv6 network shorter than 96 bits would hold the mapped form of IPv4 addresses, which are no IPv6 addresses.
    public bool Contains(Address address) => address.Family == Family && Mask(address, _bits) == Network;

    public bool Contains(AddressPrefix other) => other._bits >= _bits && Contains(other.Network);

    public int CompareTo(AddressPrefix other)
    {
        int order = Network.CompareTo(other.Network);
        return order != 0 ? order : _bits.CompareTo(other._bits);
    }

    public override string ToString() => $"{Network}/{Length}";

    private static int MaxLength(Address address) => address.IsIPv4 ? 32 : 128;

    private static Address Mask(Address address, int bits)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.CopyTo(bytes);
        int whole = bits / 8;
        if (whole < 16)
        {
            bytes[whole] &= (byte)~(byte.MaxValue >> (bits % 8));
            bytes[(whole + 1)..].Clear();
        }

        return Address.FromNetworkOrder(bytes);
    }
}
