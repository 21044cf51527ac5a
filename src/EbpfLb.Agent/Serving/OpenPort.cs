// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace EbpfLb.Agent.Serving;

/// <summary>A listening socket and the connections it accepted. Disposing closes all of them.</summary>
internal sealed class OpenPort : IDisposable
{
    private const int Backlog = 128;

    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(100);

    private readonly Socket _socket;
    private readonly int _limit;
    private readonly CancellationTokenSource _closed = new();

    // The connection that was answered, or came, longest ago is first. Also guards _isClosed.
    private readonly LinkedList<ConnectionContext> _connections = [];
    private bool _isClosed;

    private OpenPort(Socket socket, int limit)
    {
        _socket = socket;
        _limit = limit;
        EndPoint = (IPEndPoint)socket.LocalEndPoint!;
    }

    /// <summary>With the port the kernel chose where none was asked for.</summary>
    public IPEndPoint EndPoint { get; }

    /// <param name="bothFamilies">An unspecified address stands for every address of the node and not only for those of its family.</param>
    /// <exception cref="SocketException">It cannot be listened on.</exception>
    public static OpenPort Open(
        IPEndPoint endPoint, bool bothFamilies, int limit, Func<Socket, ConnectionContext> connect, Func<ConnectionContext, bool> serve)
    {
        bool isAny = endPoint.Address.Equals(IPAddress.Any) || endPoint.Address.Equals(IPAddress.IPv6Any);
        if (bothFamilies && isAny && Socket.OSSupportsIPv6)
            endPoint = new IPEndPoint(IPAddress.IPv6Any, endPoint.Port);
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endPoint.AddressFamily == AddressFamily.InterNetworkV6)
                socket.DualMode = bothFamilies && isAny;
            // The runtime binds TCP sockets with SO_REUSEADDR: connections of a process before this one may linger in TIME_WAIT. Its
            // option ReuseAddress would set SO_REUSEPORT as well, and a port that is taken would look as if it were free.
            socket.Bind(endPoint);
            socket.Listen(Backlog);
            var port = new OpenPort(socket, limit);
            _ = port.AcceptAsync(connect, serve);
            return port;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        ConnectionContext[] open;
        lock (_connections)
        {
            _isClosed = true;
            open = [.. _connections];
        }

        _closed.Cancel();
        _socket.Dispose();
        foreach (var connection in open)
            connection.Abort();
    }

    private async Task AcceptAsync(Func<Socket, ConnectionContext> connect, Func<ConnectionContext, bool> serve)
    {
        while (!_closed.IsCancellationRequested)
        {
            try
            {
                var connection = connect(await _socket.AcceptAsync(_closed.Token).ConfigureAwait(false));
                Keep(connection);
                if (!serve(connection))
                    await connection.DisposeAsync().ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // The client gave up before it was accepted, or there is no descriptor left for it: the next may have more luck.
                await Task.Delay(Breath, TimeProvider.System, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private void Keep(ConnectionContext connection)
    {
        ConnectionContext? tooMany = null;
        var node = new LinkedListNode<ConnectionContext>(connection);
        lock (_connections)
        {
            if (_isClosed)
            {
                tooMany = connection;
            }
            else
            {
                _connections.AddLast(node);
                if (_connections.Count > _limit)
                {
                    tooMany = _connections.First!.Value;
                    _connections.RemoveFirst();
                }
            }
        }

        connection.Features.Set(new Turn(() => MoveToEnd(node)));
        connection.ConnectionClosed.Register(() => Forget(node));
        tooMany?.Abort();
    }

    private void MoveToEnd(LinkedListNode<ConnectionContext> node)
    {
        lock (_connections)
        {
            if (node.List is null)
                return;

            _connections.Remove(node);
            _connections.AddLast(node);
        }
    }

    private void Forget(LinkedListNode<ConnectionContext> node)
    {
        lock (_connections)
        {
            if (node.List is not null)
                _connections.Remove(node);
        }
    }

    /// <summary>A feature of a connection: to be called when it was answered.</summary>
    internal sealed class Turn(Action answered)
    {
        public void Answered() => answered();
    }
}
