// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Inspection;

public readonly record struct AddressPort(Address Address, ushort Port) : IComparable<AddressPort>
{
    public static bool operator <(AddressPort left, AddressPort right) => left.CompareTo(right) < 0;

    public static bool operator >(AddressPort left, AddressPort right) => left.CompareTo(right) > 0;

    public static bool operator <=(AddressPort left, AddressPort right) => left.CompareTo(right) <= 0;

    public static bool operator >=(AddressPort left, AddressPort right) => left.CompareTo(right) >= 0;

    public int CompareTo(AddressPort other)
    {
        int order = Address.CompareTo(other.Address);
        return order != 0 ? order : Port.CompareTo(other.Port);
    }

    /// <summary>address:port, the address in brackets when it is IPv6.</summary>
    public override string ToString() => Address.IsIPv4 ? $"{Address}:{Port}" : $"[{Address}]:{Port}";
}
