// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace EbpfLb.Agent.Serving;

/// <summary>
/// What Kestrel takes for its one listening socket: connections from all the ports that are open at the moment. So ports come and go
/// while one server, with one timer thread, speaks HTTP at all of them.
/// </summary>
internal sealed class ConnectionQueue : IConnectionListenerFactory, IConnectionListener
{
    private readonly Channel<ConnectionContext> _accepted = Channel.CreateUnbounded<ConnectionContext>();

    public EndPoint EndPoint { get; } = new AllPorts();

    public bool TryAdd(ConnectionContext connection) => _accepted.Writer.TryWrite(connection);

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) => new(this);

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await _accepted.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (_accepted.Reader.TryRead(out var connection))
                return connection;
        }

        return null;
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _accepted.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _accepted.Writer.TryComplete();
        while (_accepted.Reader.TryRead(out var connection))
            await connection.DisposeAsync().ConfigureAwait(false);
    }

    private sealed class AllPorts : EndPoint
    {
        public override string ToString() => "the open ports";
    }
}
