// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Live.Tests.Support;

/// <summary>An address of a service and its ports there.</summary>
/// <param name="Kind">As people say it.</param>
internal sealed record Target(string Kind, string Address, int TcpPort, int UdpPort)
{
    public bool IsV6 => Address.Contains(':', StringComparison.Ordinal);

    /// <summary>As getpeername() and recvfrom() have to show it.</summary>
    public string Tcp => Text(TcpPort);

    public string Udp => Text(UdpPort);

    /// <summary>Another address with the same ports.</summary>
    public Target At(string address) => this with { Address = address };

    private string Text(int port) => IsV6 ? $"[{Address}]:{port}" : $"{Address}:{port}";
}
