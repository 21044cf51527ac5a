// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net.Sockets;

namespace EbpfLb.Kubernetes.Api.Client.Connection;

/// <summary>A connection that tells when it ends.</summary>
internal sealed class ServerStream(Socket socket, Action<ServerStream> ended) : NetworkStream(socket, ownsSocket: true)
{
    // From linux/tcp.h, in milliseconds: how long what was sent may stay without an acknowledgement.
    private const int IPPROTO_TCP = 6;
    private const int TCP_USER_TIMEOUT = 18;
    private const int UserTimeoutMs = 30_000;

    /// <summary>HTTP/2 has its own pings. Over HTTP/1.1 only TCP can tell that the other side is gone.</summary>
    public static void NoticeSilence(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 15);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 5);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
        Span<byte> timeout = stackalloc byte[sizeof(int)];
        BitConverter.TryWriteBytes(timeout, UserTimeoutMs);
        socket.SetRawSocketOption(IPPROTO_TCP, TCP_USER_TIMEOUT, timeout);
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        ended(this);
    }
}
