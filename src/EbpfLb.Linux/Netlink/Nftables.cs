// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;

namespace EbpfLb.Linux.Netlink;

/// <summary>What there is in nf_tables of the network namespace that the opening thread is in. iptables-nft keeps its chains there too.</summary>
public sealed class Nftables : IDisposable
{
    private const ushort NFNL_SUBSYS_NFTABLES = 10 << 8;
    private const ushort NFT_MSG_GETTABLE = NFNL_SUBSYS_NFTABLES | 1;
    private const ushort NFT_MSG_GETCHAIN = NFNL_SUBSYS_NFTABLES | 4;
    private const int NFTA_TABLE_NAME = 1;
    private const int NFTA_CHAIN_TABLE = 1;
    private const int NFTA_CHAIN_NAME = 3;
    private const byte NFPROTO_IPV4 = 2;
    private const byte NFPROTO_IPV6 = 10;

    // struct nfgenmsg: family, version, resource.
    private const int FamilySize = 4;

    private readonly NetlinkSocket _socket = NetlinkSocket.Open(NetlinkSocket.NETLINK_NETFILTER);

    /// <summary>False on a kernel without nf_tables too.</summary>
    public bool HasTable(bool isIPv6, string table) => Exists(NFT_MSG_GETTABLE, isIPv6, (NFTA_TABLE_NAME, table));

    /// <inheritdoc cref="HasTable"/>
    public bool HasChain(bool isIPv6, string table, string chain) =>
        Exists(NFT_MSG_GETCHAIN, isIPv6, (NFTA_CHAIN_TABLE, table), (NFTA_CHAIN_NAME, chain));

    public void Dispose() => _socket.Dispose();

    private bool Exists(ushort type, bool isIPv6, params ReadOnlySpan<(int Type, string Name)> names)
    {
        Span<byte> message = stackalloc byte[256];
        message.Clear();
        message[NetlinkMessage.HeaderSize] = isIPv6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
        int length = NetlinkMessage.HeaderSize + FamilySize;
        foreach (var (attribute, name) in names)
        {
            byte[] text = [.. Encoding.ASCII.GetBytes(name), 0];
            NetlinkMessage.WriteAttribute(message[length..], attribute, text);
            length += NetlinkMessage.Align(NetlinkAttributes.HeaderSize + text.Length);
        }

        Errno errno = _socket.Ask(type, message[..length], out string? detail, static (in _) => { });
        return errno switch
        {
            Errno.None => true,
            // The last two: the kernel has no nf_tables, or not of this family.
            Errno.ENOENT or Errno.EINVAL or Errno.EOPNOTSUPP => false,
            _ => throw new LinuxException($"look for {string.Join(' ', names.ToArray().Select(name => name.Name))} in nf_tables", errno, detail),
        };
    }
}
