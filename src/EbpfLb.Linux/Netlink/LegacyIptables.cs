// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace EbpfLb.Linux.Netlink;

/// <summary>Tables of iptables-legacy of the caller's network namespace, which are no part of nf_tables.</summary>
public static class LegacyIptables
{
    private const int SOL_IP = 0;
    private const int SOL_IPV6 = 41;
    private const int IPT_SO_GET_INFO = 64;
    private const int IPT_SO_GET_ENTRIES = 65;

    // struct ipt_getinfo ends with the number of entries and their size, struct ipt_get_entries begins with a name and a size.
    private const int NameSize = 32;
    private const int InfoSize = 84;
    private const int SizeOffset = 80;
    private const int EntriesOffset = 40;

    /// <summary>
    /// False when there is no such table: asking the kernel for one would make it. A chain's name stands in its first entry, so the whole
    /// table is read.
    /// </summary>
    /// <exception cref="SocketException">The table changed meanwhile, or may not be read.</exception>
    public static bool HasChain(bool isIPv6, string table, string chain)
    {
        string tables = isIPv6 ? "/proc/thread-self/net/ip6_tables_names" : "/proc/thread-self/net/ip_tables_names";
        if (!File.Exists(tables) || !File.ReadLines(tables).Contains(table))
            return false;

        using var socket = new Socket(isIPv6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        int level = isIPv6 ? SOL_IPV6 : SOL_IP;
        byte[] info = new byte[InfoSize];
        Encoding.ASCII.GetBytes(table, info.AsSpan(0, NameSize));
        socket.GetRawSocketOption(level, IPT_SO_GET_INFO, info);

        int size = BinaryPrimitives.ReadInt32LittleEndian(info.AsSpan(SizeOffset));
        byte[] entries = new byte[EntriesOffset + size];
        Encoding.ASCII.GetBytes(table, entries.AsSpan(0, NameSize));
        BinaryPrimitives.WriteInt32LittleEndian(entries.AsSpan(NameSize), size);
        socket.GetRawSocketOption(level, IPT_SO_GET_ENTRIES, entries);
        return entries.AsSpan(EntriesOffset).IndexOf((byte[])[0, .. Encoding.ASCII.GetBytes(chain), 0]) >= 0;
    }
}
