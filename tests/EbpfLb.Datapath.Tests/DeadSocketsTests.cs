// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Sockets;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Tests;

public sealed class DeadSocketsTests
{
    private readonly List<DeadSocketValue> _dead = [];

    [Fact]
    public void Nothing_to_end_is_one_look()
    {
        int looks = 0;
        var result = new DeadSockets(
            () =>
            {
                looks++;
                return [];
            },
            _ => throw new InvalidOperationException("nothing to end")).Run();
        Assert.Equal((1, 0, 0), (looks, result.Ended, result.Left.Count));
    }

    [Fact]
    public void Those_of_TCP_are_counted_apart()
    {
        Add(1, netns: 1);
        Add(2, netns: 1, Protocol.Tcp);
        Add(3, netns: 1, Protocol.Tcp);
        var result = Run(cookie => cookie == 3 ? DeadSocketObstacle.NotSupported : null);
        Assert.Equal((2, 1), (result.Ended, result.OfTcp));
    }

    [Fact]
    public void A_socket_that_one_look_missed_is_ended_after_the_next()
    {
        Add(1, netns: 1);
        var result = Run(cookie =>
        {
            if (cookie == 1)
                Add(2, netns: 1);
            return null;
        });
        Assert.Equal((2, 0), (result.Ended, result.Left.Count));
    }

    [Fact]
    public void One_that_was_hidden_by_its_twin_is_tried_again()
    {
        Add(1, netns: 1);
        Add(2, netns: 1);
        var tried = new HashSet<ulong>();
        var result = Run(cookie => cookie == 2 && tried.Add(cookie) ? DeadSocketObstacle.NotFound : null);
        Assert.Equal((2, 0), (result.Ended, result.Left.Count));
    }

    [Fact]
    public void What_stands_in_the_way_is_counted_and_not_tried_again_in_the_same_run()
    {
        foreach (ulong cookie in new ulong[] { 1, 2, 3, 4, 5 })
            Add(cookie, netns: (uint)cookie / 2);
        int tries = 0;
        var result = Run(cookie =>
        {
            tries++;
            return cookie switch
            {
                < 4 => DeadSocketObstacle.NamespaceNotEntered,
                4 => DeadSocketObstacle.NamespaceNotSeen,
                _ => null,
            };
        });
        Assert.Equal((1, 5), (result.Ended, tries));
        Assert.Equal(
            [
                new DeadSocketsResult.Part(DeadSocketObstacle.NamespaceNotSeen, 1, 1),
                new DeadSocketsResult.Part(DeadSocketObstacle.NamespaceNotEntered, 3, 2),
            ],
            result.Left);
    }

    [Fact]
    public void One_that_is_never_found_ends_the_run_all_the_same_and_one_that_was_closed_is_none()
    {
        Add(1, netns: 1);
        Add(2, netns: 1);
        var result = Run(cookie =>
        {
            _dead.RemoveAll(socket => socket.Cookie == 2);
            return DeadSocketObstacle.NotFound;
        });
        Assert.Equal(0, result.Ended);
        Assert.Equal([new DeadSocketsResult.Part(DeadSocketObstacle.NotFound, 1, 1)], result.Left);
    }

    private void Add(ulong cookie, uint netns, Protocol protocol = Protocol.Udp) =>
        _dead.Add(new DeadSocketValue { Cookie = cookie, Netns = netns, Protocol = protocol });

    private DeadSocketsResult Run(Func<ulong, DeadSocketObstacle?> obstacleOf) => new DeadSockets(
        () => [.. _dead],
        sockets =>
        {
            var obstacles = new Dictionary<ulong, DeadSocketObstacle>();
            foreach (var socket in sockets)
            {
                if (obstacleOf(socket.Cookie) is { } obstacle)
                    obstacles.Add(socket.Cookie, obstacle);
                else
                    _dead.RemoveAll(one => one.Cookie == socket.Cookie);
            }

            return obstacles;
        }).Run();
}
