// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Inspection;

/// <param name="ServiceName">Empty when the maps do not know it.</param>
public sealed record BackendView(
    uint Id, Address Address, ushort Port, Protocol Protocol, BackendFlags Flags, uint ServiceId, string ServiceName)
{
    /// <summary>address:port, the address in brackets when it is IPv6.</summary>
    public string Endpoint => Address.IsIPv4 ? $"{Address}:{Port}" : $"[{Address}]:{Port}";
}
