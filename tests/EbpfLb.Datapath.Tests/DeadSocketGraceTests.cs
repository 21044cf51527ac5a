// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Sockets;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Tests;

public sealed class DeadSocketGraceTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(60);

    private readonly ManualTime _time = new();

    [Fact]
    public void A_UDP_socket_is_due_at_once_and_a_connection_after_the_grace()
    {
        var grace = new DeadSocketGrace(Grace, _time);
        Assert.Equal([1ul], Due(grace, Udp(1), Tcp(2)));
        Assert.Equal(Grace, grace.Next);
        Pass(59);
        Assert.Empty(Due(grace, Tcp(2), Tcp(3)));
        Assert.Equal(TimeSpan.FromSeconds(1), grace.Next);
        Pass(1);
        Assert.Equal([2ul], Due(grace, Tcp(2), Tcp(3)));
        Assert.Equal(TimeSpan.FromSeconds(59), grace.Next);
    }

    [Fact]
    public void One_that_could_not_be_ended_stays_due()
    {
        var grace = new DeadSocketGrace(Grace, _time);
        Due(grace, Tcp(1));
        Pass(60);
        Assert.Equal([1ul], Due(grace, Tcp(1)));
        Assert.Null(grace.Next);
        Assert.Equal([1ul], Due(grace, Tcp(1)));
    }

    [Fact]
    public void S106_A_backend_that_is_heard_begins_the_grace_anew()
    {
        var grace = new DeadSocketGrace(Grace, _time);
        Due(grace, Tcp(1, heard: 5));
        for (uint heard = 6; heard < 10; heard++)
        {
            Pass(59);
            Assert.Empty(Due(grace, Tcp(1, heard)));
        }

        Pass(59);
        Assert.Empty(Due(grace, Tcp(1, heard: 9)));
        Pass(1);
        Assert.Equal([1ul], Due(grace, Tcp(1, heard: 9)));
    }

    [Fact]
    public void One_whose_backend_was_back_begins_anew()
    {
        var grace = new DeadSocketGrace(Grace, _time);
        Due(grace, Tcp(1));
        Pass(59);
        Assert.Empty(Due(grace));
        Assert.Null(grace.Next);
        Pass(1);
        Assert.Empty(Due(grace, Tcp(1)));
        Pass(60);
        Assert.Equal([1ul], Due(grace, Tcp(1)));
    }

    [Fact]
    public void Without_a_grace_connections_are_left_alone()
    {
        var grace = new DeadSocketGrace(null, _time);
        Assert.Equal([1ul], Due(grace, Udp(1), Tcp(2)));
        Pass(1_000_000);
        Assert.Equal([1ul], Due(grace, Udp(1), Tcp(2)));
        Assert.Null(grace.Next);
    }

    private static DeadSocketValue Udp(ulong cookie) => new() { Cookie = cookie, Protocol = Protocol.Udp };

    private static DeadSocketValue Tcp(ulong cookie, uint heard = 0) => new() { Cookie = cookie, Protocol = Protocol.Tcp, Heard = heard };

    private static ulong[] Due(DeadSocketGrace grace, params DeadSocketValue[] dead) => [.. grace.Due(dead).Select(socket => socket.Cookie)];

    private void Pass(int seconds) => _time.Advance(TimeSpan.FromSeconds(seconds));
}
