// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace EbpfLb.Linux.Netlink;

/// <summary>NETLINK_SOCK_DIAG of the network namespace that the opening thread is in.</summary>
public sealed class SocketDiagnostics : IDisposable
{
    private const ushort SOCK_DESTROY = 21;
    private const byte AF_INET = 2;
    private const byte AF_INET6 = 10;

    // struct inet_diag_req_v2: family, protocol, extensions, pad, states, then struct inet_diag_sockid.
    private const int RequestSize = 56;
    private const int LocalPortOffset = 8;
    private const int RemotePortOffset = 10;
    private const int LocalAddressOffset = 12;
    private const int RemoteAddressOffset = 28;
    private const int DeviceOffset = 44;
    private const int CookieOffset = 48;

    private readonly NetlinkSocket _socket = NetlinkSocket.Open(NetlinkSocket.NETLINK_SOCK_DIAG);

    /// <summary>
    /// Takes the peer from a connected UDP socket, as connect(AF_UNSPEC) does, or ends a TCP connection and resets its peer; the owner is
    /// told ECONNABORTED. Takes CAP_NET_ADMIN in the user namespace that the network namespace belongs to.
    /// </summary>
    /// <returns>
    /// ENOENT when there is no such socket any more, when another one with the same ends is found in its place, or when the kernel has no
    /// diagnosis of the protocol; EOPNOTSUPP on kernels without INET_DIAG_DESTROY.
    /// </returns>
    public Errno Destroy(in ConnectedSocketId socket)
    {
        Span<byte> message = stackalloc byte[NetlinkMessage.HeaderSize + RequestSize];
        message.Clear();
        var request = message[NetlinkMessage.HeaderSize..];
        request[0] = socket.Local.AddressFamily == AddressFamily.InterNetworkV6 ? AF_INET6 : AF_INET;
        request[1] = (byte)socket.Protocol;
        BinaryPrimitives.WriteUInt32LittleEndian(request[4..], uint.MaxValue);
        WriteEnd(request, LocalPortOffset, LocalAddressOffset, socket.Local);
        WriteEnd(request, RemotePortOffset, RemoteAddressOffset, socket.Remote);
        BinaryPrimitives.WriteUInt32LittleEndian(request[DeviceOffset..], socket.Device);
        // Two words, the lower one first.
        BinaryPrimitives.WriteUInt64LittleEndian(request[CookieOffset..], socket.Cookie);
        return _socket.Ask(SOCK_DESTROY, message, out _, static (in _) => { });
    }

    public void Dispose() => _socket.Dispose();

    private static void WriteEnd(Span<byte> request, int portOffset, int addressOffset, IPEndPoint end)
    {
        BinaryPrimitives.WriteUInt16BigEndian(request[portOffset..], (ushort)end.Port);
        end.Address.TryWriteBytes(request[addressOffset..], out _);
    }
}
