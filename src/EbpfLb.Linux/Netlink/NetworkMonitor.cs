// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Threading.Channels;
using EbpfLb.Linux.Files;
using Microsoft.Win32.SafeHandles;

namespace EbpfLb.Linux.Netlink;

/// <summary>
/// Changes of links, addresses, routes and neighbors of the network namespace the constructing thread is in. The subscription is in place
/// when the constructor returns: a dump after that misses nothing. Until the first <see cref="ReadAsync"/> changes wait in the kernel's
/// buffer; from then on a thread of its own moves them along.
/// </summary>
public sealed class NetworkMonitor : IDisposable
{
    private const int ReceiveBuffer = 8 * 1024 * 1024;

    // A reader that falls behind so far reads everything anew instead.
    private const int MaxQueued = 64 * 1024;

    // RTNLGRP_*, as the bits that bind(2) takes: group n is bit n - 1.
    private const uint Groups =
        1u << 0 // LINK
        | 1u << 2 // NEIGH
        | 1u << 4 // IPV4_IFADDR
        | 1u << 6 // IPV4_ROUTE
        | 1u << 7 // IPV4_RULE
        | 1u << 8 // IPV6_IFADDR
        | 1u << 10 // IPV6_ROUTE
        | 1u << 18 // IPV6_RULE
        | 1u << 31; // NEXTHOP

    private static readonly NetworkChange Overrun = new(NetworkChangeKind.Overrun);

    private readonly SafeFileHandle _socket;
    private readonly SafeFileHandle _stop;
    private readonly Thread _reader;
    private readonly Lock _lifetime = new();
    private readonly Channel<NetworkChange> _changes = Channel.CreateUnbounded<NetworkChange>(new() { SingleWriter = true });
    private readonly List<NetworkRoute> _routes = [];
    private readonly int _maxQueued;

    private bool _overrunIsLast;
    private bool _started;
    private bool _disposed;

    public NetworkMonitor()
        : this(ReceiveBuffer, MaxQueued)
    {
    }

    internal NetworkMonitor(int receiveBuffer, int maxQueued)
    {
        _maxQueued = maxQueued;
        _socket = NetlinkSyscalls.Open(NetlinkSocket.NETLINK_ROUTE, Groups, nonBlocking: true);
        try
        {
            NetlinkSyscalls.SetReceiveBuffer(_socket, receiveBuffer);
            _stop = WaitSyscalls.CreateStopSignal();
        }
        catch
        {
            _socket.Dispose();
            throw;
        }

        _reader = new Thread(ReadLoop) { IsBackground = true, Name = "network monitor" };
    }

    internal int Queued => _changes.Reader.Count;

    /// <summary>Ends on disposal.</summary>
    public IAsyncEnumerable<NetworkChange> ReadAsync(CancellationToken stopping)
    {
        lock (_lifetime)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_started)
                _reader.Start();
            _started = true;
        }

        return _changes.Reader.ReadAllAsync(stopping);
    }

    public void Dispose()
    {
        lock (_lifetime)
        {
            if (_disposed)
                return;
            _disposed = true;
        }

        if (_started)
        {
            WaitSyscalls.Signal(_stop);
            _reader.Join();
        }

        _changes.Writer.TryComplete();
        _socket.Dispose();
        _stop.Dispose();
    }

    private void ReadLoop()
    {
        byte[] buffer = new byte[NetlinkSocket.BufferSize];
        try
        {
            while (WaitSyscalls.UntilReadable(_socket, _stop, "changes of the network"))
            {
                Errno errno = NetlinkSyscalls.Receive(_socket, buffer, out int length);
                if (errno == Errno.None)
                    Publish(buffer.AsSpan(0, length));
                else if (errno is Errno.ENOBUFS or Errno.EMSGSIZE)
                    Write(Overrun);
                else if (errno != Errno.EAGAIN)
                    throw new LinuxException("receive changes of the network", errno);
            }

            _changes.Writer.TryComplete();
        }
        catch (LinuxException exception)
        {
            _changes.Writer.TryComplete(exception);
        }
    }

    private void Publish(ReadOnlySpan<byte> datagram)
    {
        try
        {
            while (NetlinkMessage.TryTake(ref datagram, out NetlinkMessage message))
                Publish(in message);
        }
        catch (LinuxException exception) when (exception.Errno == Errno.EBADMSG)
        {
            // What cannot be read is a change that is not known.
            Write(Overrun);
        }
    }

    private void Publish(in NetlinkMessage message)
    {
        switch (message.Type)
        {
            case RouteMessages.RTM_NEWLINK or RouteMessages.RTM_DELLINK:
                if (RouteMessages.ParseLink(message.Payload) is { } link)
                    Write(new(KindOf(in message, RouteMessages.RTM_NEWLINK, NetworkChangeKind.LinkChanged), Link: link));
                break;
            case RouteMessages.RTM_NEWADDR or RouteMessages.RTM_DELADDR:
                if (RouteMessages.ParseAddress(message.Payload) is { } address)
                    Write(new(KindOf(in message, RouteMessages.RTM_NEWADDR, NetworkChangeKind.AddressChanged), Address: address));
                break;
            case RouteMessages.RTM_NEWNEIGH or RouteMessages.RTM_DELNEIGH:
                if (RouteMessages.ParseNeighbor(message.Payload) is { } neighbor)
                    Write(new(KindOf(in message, RouteMessages.RTM_NEWNEIGH, NetworkChangeKind.NeighborChanged), Neighbor: neighbor));
                break;
            case RouteMessages.RTM_NEWROUTE or RouteMessages.RTM_DELROUTE:
                _routes.Clear();
                RouteMessages.ParseRoute(message.Payload, _routes);
                foreach (NetworkRoute route in _routes)
                    Write(new(NetworkChangeKind.RouteChanged, Route: route));
                break;
            case RouteMessages.RTM_NEWRULE or RouteMessages.RTM_DELRULE or RouteMessages.RTM_NEWNEXTHOP or RouteMessages.RTM_DELNEXTHOP:
                Write(new(NetworkChangeKind.RouteChanged));
                break;
        }
    }

    // Each removal follows its change in the enum.
    private static NetworkChangeKind KindOf(in NetlinkMessage message, ushort added, NetworkChangeKind changed)
        => message.Type == added ? changed : changed + 1;

    private void Write(NetworkChange change)
    {
        // Dropping is sound while an overrun waits at the end of a queue that is not empty: its reader has not dumped yet.
        if (_changes.Reader.Count >= _maxQueued)
            change = Overrun;
        if (change.Kind == NetworkChangeKind.Overrun && _overrunIsLast && _changes.Reader.Count > 0)
            return;
        _overrunIsLast = change.Kind == NetworkChangeKind.Overrun;
        _changes.Writer.TryWrite(change);
    }
}
