// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;

namespace EbpfLb.Linux.Netlink;

/// <summary>The generic netlink family "netdev", which says what drivers can do.</summary>
public static class NetdevFeatures
{
    private const ushort GENL_ID_CTRL = 16;
    private const byte CTRL_CMD_GETFAMILY = 3;
    private const int CTRL_ATTR_FAMILY_ID = 1;
    private const int CTRL_ATTR_FAMILY_NAME = 2;
    private const byte NETDEV_CMD_DEV_GET = 1;
    private const int NETDEV_A_DEV_IFINDEX = 1;
    private const int NETDEV_A_DEV_XDP_FEATURES = 3;

    // struct genlmsghdr: command, version, two reserved bytes.
    private const int GenericHeaderSize = 4;
    private const int Start = NetlinkMessage.HeaderSize + GenericHeaderSize;

    /// <summary>
    /// What the driver of a device of this thread's network namespace says it can do. False when the kernel has no such family (before 6.3);
    /// ENODEV when there is no such device.
    /// </summary>
    public static bool TryGet(int ifindex, out XdpFeatures features)
    {
        features = XdpFeatures.None;
        using NetlinkSocket socket = NetlinkSocket.Open(NetlinkSocket.NETLINK_GENERIC);
        if (FindFamily(socket, "netdev") is not { } family)
            return false;

        byte[] request = Request(NETDEV_CMD_DEV_GET, 2 * sizeof(uint));
        NetlinkMessage.WriteAttribute(request.AsSpan(Start), NETDEV_A_DEV_IFINDEX, (uint)ifindex);
        XdpFeatures found = XdpFeatures.None;
        Errno errno = socket.Ask(family, request, out string? detail, (in message) =>
        {
            NetlinkAttributes attributes = new(message.PayloadFrom(GenericHeaderSize));
            while (attributes.Next())
            {
                if (attributes.Type == NETDEV_A_DEV_XDP_FEATURES)
                    found = (XdpFeatures)attributes.ReadUInt64();
            }
        });
        if (errno != Errno.None)
            throw new LinuxException($"read the features of device {ifindex}", errno, detail);
        features = found;
        return true;
    }

    /// <summary>Whether the kernel has this family.</summary>
    public static bool IsPresent()
    {
        using NetlinkSocket socket = NetlinkSocket.Open(NetlinkSocket.NETLINK_GENERIC);
        return FindFamily(socket, "netdev") is not null;
    }

    private static ushort? FindFamily(NetlinkSocket socket, string name)
    {
        byte[] zeroTerminated = Encoding.ASCII.GetBytes(name + '\0');
        byte[] request = Request(CTRL_CMD_GETFAMILY, NetlinkMessage.Align(NetlinkAttributes.HeaderSize + zeroTerminated.Length));
        NetlinkMessage.WriteAttribute(request.AsSpan(Start), CTRL_ATTR_FAMILY_NAME, zeroTerminated);
        ushort? family = null;
        Errno errno = socket.Ask(GENL_ID_CTRL, request, out string? detail, (in message) =>
        {
            NetlinkAttributes attributes = new(message.PayloadFrom(GenericHeaderSize));
            while (attributes.Next())
            {
                if (attributes.Type == CTRL_ATTR_FAMILY_ID)
                    family = attributes.ReadUInt16();
            }
        });
        if (errno is Errno.None or Errno.ENOENT)
            return family;
        throw new LinuxException($"look up netlink family {name}", errno, detail);
    }

    private static byte[] Request(byte command, int attributesLength)
    {
        byte[] request = new byte[Start + attributesLength];
        request[NetlinkMessage.HeaderSize] = command;
        request[NetlinkMessage.HeaderSize + 1] = 1;
        return request;
    }
}
