// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Net.Sockets;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Sockets;
using EbpfLb.Linux.Processes;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using OpenDatapath = EbpfLb.Datapath.Loading.Datapath;

namespace EbpfLb.Datapath.Tests;

/// <summary>Over sockets of this process: what the socket hooks would have stored, the test stores.</summary>
public sealed class DeadSocketListTests : IAsyncLifetime, IDisposable
{
    private const uint Service = 7;
    private const uint OtherService = 8;
    private const uint Backend = 21;
    private const int Port = 9;
    private const int SOL_SOCKET = 1;
    private const int SO_ERROR = 4;
    private const int SO_COOKIE = 57;
    private const int ECONNABORTED = 103;

    private static readonly Address V4 = Address.Parse("127.0.0.1");
    private static readonly Address V6 = Address.Parse("::1");

    private readonly KernelDatapath _kernel = new();
    private readonly PrivateNetwork _network = new();
    private readonly List<Socket> _sockets = [];
    private OpenDatapath? _datapath;
    private DeadSocketList? _list;

    private OpenDatapath Datapath => _datapath!;

    private DeadSocketList List => _list!;

    public async Task InitializeAsync()
    {
        _network.Ip("link set lo up");
        _datapath = await _kernel.OpenAsync();
        _list = DeadSocketList.TryOpen(_datapath.ProgramDirectory, _datapath.Maps);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose()
    {
        _sockets.ForEach(socket => socket.Dispose());
        _list?.Dispose();
        _datapath?.Dispose();
        _network.Dispose();
        _kernel.Dispose();
    }

    [PrivilegedFact]
    public void A_connected_socket_is_listed_once_its_backend_is_gone()
    {
        PutBackend(Backend, Service, V4);
        var socket = Connect(V4);
        Assert.Empty(List.Read());
        Datapath.Maps.Backends.Delete(Backend);

        var local = (IPEndPoint)socket.LocalEndPoint!;
        Assert.Equal(
            new DeadSocketValue
            {
                Cookie = CookieOf(socket),
                Local = V4,
                Remote = V4,
                Netns = _network.Run(NetworkNamespaceInodes.Current),
                ServiceId = Service,
                LocalPort = new BigEndian16((ushort)local.Port),
                RemotePort = new BigEndian16(Port),
                Family = 2,
                Protocol = Protocol.Udp,
            },
            Assert.Single(List.Read()));
    }

    [PrivilegedFact]
    public void Sockets_of_both_families_are_listed_whatever_namespace_they_are_in()
    {
        Socket[] sockets = [Connect(V4), Connect(V6), Connect(V4, mapped: true), Connect(V4, here: true)];
        Assert.Equal(sockets.Select(CookieOf).Order(), List.Read().Select(socket => socket.Cookie).Order());
        Assert.Equal([2, 2, 10, 10], List.Read().Select(socket => (int)socket.Family).Order());
    }

    [PrivilegedFact]
    public void An_id_that_another_backend_has_by_now_does_not_save_a_socket()
    {
        Connect(V4);
        PutBackend(Backend, Service, V6);
        Assert.Single(List.Read());
        PutBackend(Backend, OtherService, V4);
        Assert.Single(List.Read());
    }

    [PrivilegedFact]
    public void A_backend_that_came_back_under_another_id_saves_it_and_one_of_another_service_does_not()
    {
        Connect(V4);
        PutBackend(Backend + 1, OtherService, V4);
        PutBackend(Backend + 2, Service, V4, protocol: Protocol.Tcp);
        Assert.Single(List.Read());
        PutBackend(Backend + 3, Service, V4);
        Assert.Empty(List.Read());
    }

    [PrivilegedFact]
    public void Sockets_that_are_not_connected_to_what_is_stored_are_not_listed()
    {
        // A connect() that is under way, or failed.
        Connect(V4, stored: V6);
        Connect(V4, storedPort: Port + 1);
        Store(Open(V4, ProtocolType.Udp, here: false), V4, Port);
        var (tcp, _, port) = ConnectByTcp(V4);
        Store(tcp, V4, port + 1);
        Assert.Empty(List.Read());
    }

    [PrivilegedFact]
    public void A_connection_is_listed_and_tells_when_its_peer_was_heard()
    {
        foreach (var address in new[] { V4, V6 })
        {
            var (client, server, port) = ConnectByTcp(address);
            Store(client, address, port);
            var listed = Assert.Single(List.Read());
            Assert.Equal((CookieOf(client), Protocol.Tcp), (listed.Cookie, listed.Protocol));
            Assert.Equal(listed, Assert.Single(List.Read()));

            // What comes, and the answer to what goes. The kernel's clock moves with its ticks.
            foreach (var (from, to) in new[] { (server, client), (client, server) })
            {
                uint heard = List.Read()[0].Heard;
                Thread.Sleep(20);
                Assert.Equal(1, from.Send([1]));
                Assert.Equal(1, to.Receive(new byte[1]));
                Assert.True(SpinWait.SpinUntil(() => List.Read()[0].Heard != heard, TimeSpan.FromSeconds(10)));
            }

            // Who has nothing more to say may still wait; who has heard the end does not.
            client.Shutdown(SocketShutdown.Send);
            Assert.Single(List.Read());
            server.Shutdown(SocketShutdown.Send);
            Assert.True(SpinWait.SpinUntil(() => List.Read().Count == 0, TimeSpan.FromSeconds(10)));
        }
    }

    [PrivilegedFact]
    public void A_connection_is_ended_once_its_backend_has_been_gone_and_silent_for_the_grace()
    {
        var time = new ManualTime();
        var grace = new DeadSocketGrace(TimeSpan.FromSeconds(60), time);
        var sockets = new DeadSockets(() => grace.Due(List.Read()), DeadSocketEnder.End);
        var (client, server, port) = ConnectByTcp(V4, here: true);
        Store(client, V4, port);
        Assert.Equal(0, sockets.Run().Ended);
        time.Advance(TimeSpan.FromSeconds(50));
        Thread.Sleep(20);
        server.Send([1]);
        uint heard = List.Read()[0].Heard;
        Assert.True(SpinWait.SpinUntil(() => client.Available == 1, TimeSpan.FromSeconds(10)), $"{heard}");
        Assert.Equal(0, sockets.Run().Ended);
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(0, sockets.Run().Ended);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((1, 1), (sockets.Run() is { } ended ? (ended.Ended, ended.OfTcp) : default));
        Assert.Equal(ECONNABORTED, ErrorOf(client));
    }

    [PrivilegedFact]
    public void A_list_that_takes_several_reads_has_every_socket_once()
    {
        ulong[] cookies = [.. Enumerable.Range(0, 3000).Select(_ => CookieOf(Connect(V4))).Order()];
        Assert.Equal(cookies, List.Read().Select(socket => socket.Cookie).Order());
    }

    [PrivilegedFact]
    public void Sockets_are_ended_where_the_namespace_is_found()
    {
        var here = Connect(V4, here: true);
        var inside = Connect(V6);
        var result = new DeadSockets(List.Read, DeadSocketEnder.End).Run();
        // The namespace has neither a process nor a mount.
        Assert.Equal(1, result.Ended);
        Assert.Equal([new DeadSocketsResult.Part(DeadSocketObstacle.NamespaceNotSeen, 1, 1)], result.Left);
        Assert.Equal((ECONNABORTED, 0), (ErrorOf(here), ErrorOf(inside)));

        using (var process = _network.Run(() => System.Diagnostics.Process.Start("sleep", "60")))
        {
            result = new DeadSockets(List.Read, DeadSocketEnder.End).Run();
            process.Kill();
            process.WaitForExit();
        }

        Assert.Equal((1, 0), (result.Ended, result.Left.Count));
        Assert.Equal(ECONNABORTED, ErrorOf(inside));
    }

    [PrivilegedFact]
    public void Without_the_program_there_is_no_list()
    {
        File.Delete(Path.Combine(Datapath.ProgramDirectory, ProgramNames.DeadSockets));
        Assert.Null(DeadSocketList.TryOpen(Datapath.ProgramDirectory, Datapath.Maps));
    }

    private static ulong CookieOf(Socket socket)
    {
        byte[] cookie = new byte[sizeof(ulong)];
        socket.GetRawSocketOption(SOL_SOCKET, SO_COOKIE, cookie);
        return BitConverter.ToUInt64(cookie);
    }

    private static int ErrorOf(Socket socket)
    {
        byte[] error = new byte[sizeof(int)];
        socket.GetRawSocketOption(SOL_SOCKET, SO_ERROR, error);
        return BitConverter.ToInt32(error);
    }

    private void PutBackend(uint id, uint service, Address address, Protocol protocol = Protocol.Udp) => Assert.True(
        Datapath.Maps.Backends.Put(id, new BackendValue
        {
            Address = address,
            Port = new BigEndian16(Port),
            Protocol = protocol,
            Flags = BackendFlags.InCluster,
            ServiceId = service,
        }).Succeeded);

    private Socket Connect(Address address, Address? stored = null, int storedPort = Port, bool mapped = false, bool here = false)
    {
        var socket = Open(mapped ? V6 : address, ProtocolType.Udp, here);
        var to = new IPAddress(BytesOf(address));
        if (mapped)
            socket.DualMode = true;
        socket.Connect(mapped ? to : to.IsIPv4MappedToIPv6 ? to.MapToIPv4() : to, Port);
        Store(socket, stored ?? address, storedPort);
        return socket;
    }

    private (Socket Client, Socket Server, int Port) ConnectByTcp(Address address, bool here = false)
    {
        var listener = Open(address, ProtocolType.Tcp, here);
        var to = new IPAddress(BytesOf(address));
        listener.Bind(new IPEndPoint(to.IsIPv4MappedToIPv6 ? to.MapToIPv4() : to, 0));
        listener.Listen();
        var client = Open(address, ProtocolType.Tcp, here);
        client.Connect(listener.LocalEndPoint!);
        var server = listener.Accept();
        _sockets.Add(server);
        return (client, server, ((IPEndPoint)listener.LocalEndPoint!).Port);
    }

    private Socket Open(Address address, ProtocolType protocol, bool here)
    {
        Socket Make() => new(
            address.Family == EbpfLb.LoadBalancing.Model.AddressFamily.IPv4
                ? System.Net.Sockets.AddressFamily.InterNetwork
                : System.Net.Sockets.AddressFamily.InterNetworkV6,
            protocol == ProtocolType.Udp ? SocketType.Dgram : SocketType.Stream,
            protocol);
        var socket = here ? Make() : _network.Run(Make);
        _sockets.Add(socket);
        return socket;
    }

    // Storage is written by the descriptor of its socket.
    private void Store(Socket socket, Address backend, int port)
    {
        _ = CookieOf(socket);
        int descriptor = (int)socket.Handle;
        Assert.Equal(EbpfLb.Linux.Errno.None, Datapath.Maps.SockPeers.Update(in descriptor, new SockPeerValue
        {
            Frontend = Address.Parse("10.96.0.1"),
            Backend = backend,
            FrontendPort = new BigEndian16(80),
            BackendPort = new BigEndian16((ushort)port),
            BackendId = Backend,
            ServiceId = Service,
        }));
    }

    private static byte[] BytesOf(Address address)
    {
        byte[] bytes = new byte[16];
        address.CopyTo(bytes);
        return bytes;
    }
}
