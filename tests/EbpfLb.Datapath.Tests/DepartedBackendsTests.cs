// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Sync;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Tests;

public sealed class DepartedBackendsTests
{
    private static readonly ServicePortKey Web = new(new ObjectName("default", "web"), "http", Protocol.Tcp, AddressFamily.IPv4);
    private static readonly Address First = Address.Parse("10.244.1.1");
    private static readonly Address Second = Address.Parse("10.244.1.2");
    private static readonly Address Third = Address.Parse("10.244.1.3");

    [Fact]
    public void An_id_is_given_back_once_and_to_its_own_backend_only()
    {
        var departed = new DepartedBackends();
        departed.Remember(Web, new ProgrammedBackend(First, 80, 7));
        Assert.False(departed.TryTake(Web, Second, 80, out _));
        Assert.False(departed.TryTake(Web, First, 81, out _));
        Assert.False(departed.TryTake(Web with { PortName = "other" }, First, 80, out _));
        Assert.True(departed.TryTake(Web, First, 80, out uint id));
        Assert.Equal(7u, id);
        Assert.False(departed.TryTake(Web, First, 80, out _));
    }

    [Fact]
    public void The_one_that_has_been_gone_longest_is_forgotten_first()
    {
        var departed = new DepartedBackends(capacity: 2);
        departed.Remember(Web, new ProgrammedBackend(First, 80, 1));
        Assert.True(departed.TryTake(Web, First, 80, out _));
        departed.Remember(Web, new ProgrammedBackend(First, 80, 1));
        departed.Remember(Web, new ProgrammedBackend(Second, 80, 2));
        departed.Remember(Web, new ProgrammedBackend(Third, 80, 3));
        Assert.False(departed.TryTake(Web, First, 80, out _));
        Assert.True(departed.TryTake(Web, Second, 80, out _));
        Assert.True(departed.TryTake(Web, Third, 80, out _));
    }

    [Fact]
    public void Backends_of_datagrams_are_not_remembered()
    {
        var departed = new DepartedBackends();
        var dns = Web with { Protocol = Protocol.Udp };
        departed.Remember(dns, new ProgrammedBackend(First, 53, 7));
        Assert.False(departed.TryTake(dns, First, 53, out _));
    }
}
