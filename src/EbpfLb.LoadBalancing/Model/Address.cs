// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Runtime.InteropServices;

namespace EbpfLb.LoadBalancing.Model;

/// <summary>An IP address as the datapath keeps it: 16 bytes in network order, IPv4 mapped into ::ffff:0:0/96.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
public readonly struct Address : IEquatable<Address>, IComparable<Address>
{
    // The bytes as they lie in memory; their numeric value depends on the machine and is never used as a number.
    [FieldOffset(0)] private readonly ulong _first;
    [FieldOffset(8)] private readonly ulong _last;

    private Address(ReadOnlySpan<byte> bytes)
    {
        _first = MemoryMarshal.Read<ulong>(bytes);
        _last = MemoryMarshal.Read<ulong>(bytes[8..]);
    }

    public AddressFamily Family => IsIPv4 ? AddressFamily.IPv4 : AddressFamily.IPv6;

    /// <summary>All zero, which stands for every address of the node.</summary>
    public bool IsAny => this == Any(Family);

    public bool IsIPv4 => _first == 0 && BigEndianLast >> 32 == 0xffff;

    private ulong BigEndianFirst => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(_first) : _first;

    private ulong BigEndianLast => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(_last) : _last;

    public static bool operator ==(Address left, Address right) => left.Equals(right);

    public static bool operator !=(Address left, Address right) => !left.Equals(right);

    public static bool operator <(Address left, Address right) => left.CompareTo(right) < 0;

    public static bool operator >(Address left, Address right) => left.CompareTo(right) > 0;

    public static bool operator <=(Address left, Address right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Address left, Address right) => left.CompareTo(right) >= 0;

    /// <summary><c>0.0.0.0</c> or <c>::</c>.</summary>
    public static Address Any(AddressFamily family) => family == AddressFamily.IPv4 ? FromNetworkOrder([0, 0, 0, 0]) : default;

    /// <param name="bytes">4 or 16 bytes in network order.</param>
    public static Address FromNetworkOrder(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == 16)
            return new Address(bytes);

        if (bytes.Length != 4)
            throw new ArgumentException($"An address has 4 or 16 bytes, not {bytes.Length}.", nameof(bytes));

        Span<byte> mapped = stackalloc byte[16];
        mapped.Clear();
        mapped[10] = mapped[11] = 0xff;
        bytes.CopyTo(mapped[12..]);
        return new Address(mapped);
    }

    public static Address From(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int written);
        return FromNetworkOrder(bytes[..written]);
    }

    public static Address Parse(string text) =>
        TryParse(text, out var address) ? address : throw new FormatException($"'{text}' is not an IP address.");

    /// <summary>
    /// Reads an address as Kubernetes does: four decimal numbers, in which leading zeros mean nothing ("10.96.000.015" is 10.96.0.15),
    /// or IPv6 text. No zone, no prefix length, no IPv4-mapped form.
    /// </summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Address address)
    {
        address = default;
        if (string.IsNullOrEmpty(text))
            return false;

        if (!text.Contains(':', StringComparison.Ordinal))
            return TryParseIPv4(text, out address);

        if (text.AsSpan().ContainsAny("%/[] ") || !IPAddress.TryParse(text, out var parsed)
            || parsed.AddressFamily != System.Net.Sockets.AddressFamily.InterNetworkV6 || parsed.IsIPv4MappedToIPv6)
            return false;

        address = From(parsed);
        return true;
    }

    public void CopyTo(Span<byte> destination)
    {
        MemoryMarshal.Write(destination, _first);
        MemoryMarshal.Write(destination[8..], _last);
    }

    public IPAddress ToIPAddress()
    {
        Span<byte> bytes = stackalloc byte[16];
        CopyTo(bytes);
        return new IPAddress(IsIPv4 ? bytes[12..] : bytes);
    }

    public bool Equals(Address other) => _first == other._first && _last == other._last;

    public override bool Equals(object? obj) => obj is Address other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(_first, _last);

    public int CompareTo(Address other)
    {
        int order = BigEndianFirst.CompareTo(other.BigEndianFirst);
        return order != 0 ? order : BigEndianLast.CompareTo(other.BigEndianLast);
    }

    public override string ToString() => ToIPAddress().ToString();

    private static bool TryParseIPv4(ReadOnlySpan<char> text, out Address address)
    {
        address = default;
        Span<byte> bytes = stackalloc byte[4];
        int part = 0;
        foreach (var range in text.Split('.'))
        {
            var digits = text[range];
            if (part == 4 || digits.Length is 0 or > 16 || digits.ContainsAnyExceptInRange('0', '9'))
                return false;

            if (!ulong.TryParse(digits, out ulong value) || value > 255)
                return false;

            bytes[part++] = (byte)value;
        }

        if (part != 4)
            return false;

        address = FromNetworkOrder(bytes);
        return true;
    }
}
