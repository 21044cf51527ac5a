// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Net.Sockets;
using EbpfLb.Linux.Netlink;

namespace EbpfLb.Linux.Tests.Netlink;

public sealed class SocketDiagnosticsTests : IDisposable
{
    private const int SOL_SOCKET = 1;
    private const int SO_ERROR = 4;
    private const int SO_REUSEPORT = 15;
    private const int SO_BINDTODEVICE = 25;
    private const int SO_COOKIE = 57;
    private const uint Loopback = 1;

    private readonly PrivateNetwork _network = new();
    private readonly List<Socket> _sockets = [];

    public SocketDiagnosticsTests()
    {
        _network.Ip("link set lo up");
    }

    public void Dispose()
    {
        _sockets.ForEach(socket => socket.Dispose());
        _network.Dispose();
    }

    [PrivilegedTheory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    public void A_connected_socket_loses_its_peer_and_its_owner_is_told(string address)
    {
        Socket ended = Connected(address, 9), other = Connected(address, 9);
        Assert.Equal(Errno.None, Destroy(IdOf(ended)));
        Assert.Equal(Errno.ECONNABORTED, ErrorOf(ended));
        Assert.Equal(Errno.None, ErrorOf(ended));
        Assert.Equal(SocketError.DestinationAddressRequired, Assert.Throws<SocketException>(() => ended.Send([1])).SocketErrorCode);

        Assert.Equal(1, other.Send([1]));
        Assert.Equal(1, ended.SendTo([1], new IPEndPoint(IPAddress.Parse(address), 9)));
    }

    [PrivilegedTheory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    public void A_connection_ends_and_both_owners_are_told(string address)
    {
        var (ended, other, accepted) = ConnectedByTcp(address);
        Assert.Equal(Errno.None, Destroy(IdOf(ended)));
        Assert.Equal(Errno.ECONNABORTED, ErrorOf(ended));
        Assert.Equal(SocketError.ConnectionReset, Assert.Throws<SocketException>(() => accepted.Receive(new byte[1])).SocketErrorCode);
        Assert.Equal(1, other.Send([1]));
    }

    [PrivilegedFact]
    public void Only_that_very_socket_is_ended()
    {
        Socket socket = Connected("127.0.0.1", 9);
        ConnectedSocketId id = IdOf(socket);
        Assert.Equal(Errno.ENOENT, Destroy(id with { Cookie = id.Cookie + 1 }));
        Assert.Equal(Errno.ENOENT, Destroy(id with { Remote = new IPEndPoint(id.Remote.Address, 10) }));
        using (PrivateNetwork elsewhere = new())
            Assert.Equal(Errno.ENOENT, elsewhere.Run(() => DestroyHere(id)));
        Assert.Equal(1, socket.Send([1]));
    }

    [PrivilegedFact]
    public void A_socket_of_a_device_is_found_by_its_device_only()
    {
        Socket socket = Connected("127.0.0.1", 9, socket => socket.SetRawSocketOption(SOL_SOCKET, SO_BINDTODEVICE, "lo\0"u8));
        Assert.Equal(Errno.ENOENT, Destroy(IdOf(socket)));
        Assert.Equal(Errno.None, Destroy(IdOf(socket) with { Device = Loopback }));
        Assert.Equal(Errno.ECONNABORTED, ErrorOf(socket));
    }

    [PrivilegedFact]
    public void Of_two_sockets_with_the_same_ends_one_is_found_after_the_other()
    {
        Socket[] twins = [.. Enumerable.Range(0, 2).Select(_ => Connected("127.0.0.1", 9, socket =>
        {
            socket.SetRawSocketOption(SOL_SOCKET, SO_REUSEPORT, BitConverter.GetBytes(1));
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 5000));
        }))];
        // Taken before: an ended socket has no ends to ask for.
        ConnectedSocketId[] ids = [.. twins.Select(IdOf)];
        Errno[] first = [.. ids.Select(id => Destroy(id))];
        Errno[] second = [.. ids.Where((_, i) => first[i] == Errno.ENOENT).Select(id => Destroy(id))];
        Assert.Contains(Errno.None, first);
        Assert.All(second, errno => Assert.Equal(Errno.None, errno));
        Assert.All(twins, socket => Assert.Equal(Errno.ECONNABORTED, ErrorOf(socket)));
    }

    private static Errno DestroyHere(in ConnectedSocketId id)
    {
        using SocketDiagnostics diagnostics = new();
        return diagnostics.Destroy(id);
    }

    private static ConnectedSocketId IdOf(Socket socket)
    {
        byte[] cookie = new byte[sizeof(ulong)];
        socket.GetRawSocketOption(SOL_SOCKET, SO_COOKIE, cookie);
        return new(
            socket.ProtocolType, (IPEndPoint)socket.LocalEndPoint!, (IPEndPoint)socket.RemoteEndPoint!, 0, BitConverter.ToUInt64(cookie));
    }

    private static Errno ErrorOf(Socket socket)
    {
        byte[] error = new byte[sizeof(int)];
        socket.GetRawSocketOption(SOL_SOCKET, SO_ERROR, error);
        return (Errno)BitConverter.ToInt32(error);
    }

    // Two connections to one listener, and the server's end of the first.
    private (Socket First, Socket Second, Socket Accepted) ConnectedByTcp(string address) => _network.Run(() =>
    {
        IPAddress to = IPAddress.Parse(address);
        Socket Open()
        {
            Socket socket = new(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            if (to.IsIPv4MappedToIPv6)
                socket.DualMode = true;
            _sockets.Add(socket);
            return socket;
        }

        Socket listener = Open(), first = Open(), second = Open();
        listener.Bind(new IPEndPoint(to, 0));
        listener.Listen();
        first.Connect(listener.LocalEndPoint!);
        Socket accepted = listener.Accept();
        _sockets.Add(accepted);
        second.Connect(listener.LocalEndPoint!);
        return (first, second, accepted);
    });

    private Errno Destroy(ConnectedSocketId id) => _network.Run(() => DestroyHere(id));

    private Socket Connected(string address, int port, Action<Socket>? prepare = null) => _network.Run(() =>
    {
        IPAddress to = IPAddress.Parse(address);
        Socket socket = new(to.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        _sockets.Add(socket);
        if (to.IsIPv4MappedToIPv6)
            socket.DualMode = true;
        prepare?.Invoke(socket);
        socket.Connect(to, port);
        return socket;
    });
}
