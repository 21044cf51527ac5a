// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using EbpfLb.Linux.Netlink;

namespace EbpfLb.Linux.Tests.Netlink;

public sealed class NetworkMonitorTests
{
    [PrivilegedFact]
    public async Task A_link_is_seen_to_appear_to_change_and_to_go()
    {
        using PrivateNetwork network = new();
        using NetworkMonitor monitor = network.Run(() => new NetworkMonitor());
        await using IAsyncEnumerator<NetworkChange> changes = Read(monitor);

        network.Ip("link add left index 101 address 02:00:00:00:00:01 type veth peer name right index 102");
        NetworkLink left = (await Next(changes, change => change.Link?.Name == "left")).Link!;
        Assert.Equal((101, "veth", new HardwareAddress(0x020000000001), false), (left.Index, left.Kind, left.MacAddress, left.IsUp));

        network.Ip("link set left name renamed");
        await Next(changes, change => change is { Kind: NetworkChangeKind.LinkChanged, Link: { Index: 101, Name: "renamed" } });
        network.Ip("link set renamed up");
        await Next(changes, change => change is { Kind: NetworkChangeKind.LinkChanged, Link: { Index: 101, IsUp: true } });
        network.Ip("link set renamed address 02:00:00:00:00:02");
        await Next(changes, change => change.Link?.MacAddress == new HardwareAddress(0x020000000002));
        network.Ip("link del renamed");
        await Next(changes, change => change is { Kind: NetworkChangeKind.LinkRemoved, Link: { Index: 101, Name: "renamed" } });
    }

    [PrivilegedFact]
    public async Task Leaving_a_bridge_is_not_the_end_of_a_link()
    {
        using PrivateNetwork network = new();
        network.Ip("link add bridge type bridge");
        network.Ip("link add left index 101 type veth peer name right");
        network.Ip("link set left master bridge");
        using NetworkMonitor monitor = network.Run(() => new NetworkMonitor());

        network.Ip("link set left nomaster");
        network.Ip("link add last type veth peer name lastpeer");

        await using IAsyncEnumerator<NetworkChange> changes = Read(monitor);
        List<NetworkChange> seen = [];
        await Next(changes, change =>
        {
            seen.Add(change);
            return change.Link?.Name == "last";
        });
        Assert.Contains(seen, change => change is { Kind: NetworkChangeKind.LinkChanged, Link: { Index: 101, MasterIndex: 0 } });
        Assert.DoesNotContain(seen, change => change.Kind == NetworkChangeKind.LinkRemoved);
    }

    [PrivilegedFact]
    public async Task Addresses_are_seen_to_come_and_go()
    {
        using PrivateNetwork network = WithLink();
        using NetworkMonitor monitor = network.Run(() => new NetworkMonitor());
        await using IAsyncEnumerator<NetworkChange> changes = Read(monitor);

        foreach ((string address, int length) in (ReadOnlySpan<(string, int)>)[("192.0.2.1", 24), ("2001:db8::1", 64)])
            network.Ip($"addr add {address}/{length} dev left");
        network.Ip("addr del 192.0.2.1/24 dev left");
        network.Ip("addr del 2001:db8::1/64 dev left");

        await Next(changes, change => IsAddress(change, NetworkChangeKind.AddressChanged, "192.0.2.1", 24));
        await Next(changes, change => IsAddress(change, NetworkChangeKind.AddressChanged, "2001:db8::1", 64));
        await Next(changes, change => IsAddress(change, NetworkChangeKind.AddressRemoved, "192.0.2.1", 24));
        await Next(changes, change => IsAddress(change, NetworkChangeKind.AddressRemoved, "2001:db8::1", 64));
    }

    [PrivilegedFact]
    public async Task Routes_are_seen_to_come_and_go()
    {
        using PrivateNetwork network = WithLink();
        network.Ip("addr add 192.0.2.1/24 dev left");
        network.Ip("addr add 2001:db8::1/64 dev left nodad");
        using NetworkMonitor monitor = network.Run(() => new NetworkMonitor());
        await using IAsyncEnumerator<NetworkChange> changes = Read(monitor);

        foreach (string verb in (string[])["add", "del"])
        {
            network.Ip($"route {verb} 203.0.113.0/24 nexthop via 192.0.2.2 nexthop via 192.0.2.3");
            network.Ip($"-6 route {verb} 2001:db8:1::/48 via 2001:db8::2");
            await Next(changes, change => IsRoute(change, "203.0.113.0", "192.0.2.2"));
            await Next(changes, change => IsRoute(change, "203.0.113.0", "192.0.2.3"));
            await Next(changes, change => IsRoute(change, "2001:db8:1::", "2001:db8::2"));
        }
    }

    [PrivilegedTheory]
    [InlineData("rule add from 203.0.113.0/24 table 1000")]
    [InlineData("-6 rule add from 2001:db8::/32 table 1000")]
    [InlineData("nexthop add id 1 via 192.0.2.2 dev left")]
    public async Task What_decides_on_routes_without_being_one_is_seen(string command)
    {
        using PrivateNetwork network = WithLink();
        network.Ip("addr add 192.0.2.1/24 dev left");
        using NetworkMonitor monitor = network.Run(() => new NetworkMonitor());
        await using IAsyncEnumerator<NetworkChange> changes = Read(monitor);

        network.Ip(command);

        await Next(changes, change => change == new NetworkChange(NetworkChangeKind.RouteChanged));
    }

    [PrivilegedFact]
    public async Task Neighbors_are_seen_to_come_to_change_and_to_go()
    {
        using PrivateNetwork network = WithLink();
        using NetworkMonitor monitor = network.Run(() => new NetworkMonitor());
        await using IAsyncEnumerator<NetworkChange> changes = Read(monitor);
        const ushort Permanent = 0x80;
        NetworkNeighbor neighbor = new(101, IPAddress.Parse("192.0.2.7"), new(0x020000000007), Permanent);
        NetworkNeighbor moved = neighbor with { LinkLayerAddress = new(0x020000000008) };

        network.Ip("neigh add 192.0.2.7 lladdr 02:00:00:00:00:07 dev left nud permanent");
        network.Ip("neigh replace 192.0.2.7 lladdr 02:00:00:00:00:08 dev left nud permanent");
        network.Ip("neigh del 192.0.2.7 dev left");

        await Next(changes, change => change == new NetworkChange(NetworkChangeKind.NeighborChanged, Neighbor: neighbor));
        await Next(changes, change => change == new NetworkChange(NetworkChangeKind.NeighborChanged, Neighbor: moved));
        await Next(
            changes, change => change.Kind == NetworkChangeKind.NeighborRemoved && Equals(change.Neighbor?.Address, neighbor.Address));
    }

    [PrivilegedFact]
    public async Task Changes_before_the_first_read_are_kept()
    {
        using PrivateNetwork network = new();
        using NetworkMonitor monitor = network.Run(() => new NetworkMonitor());

        network.Ip("link add early type veth peer name other");

        await using IAsyncEnumerator<NetworkChange> changes = Read(monitor);
        await Next(changes, change => change.Link?.Name == "early");
    }

    [PrivilegedFact]
    public async Task Changes_of_other_namespaces_are_not_seen()
    {
        using PrivateNetwork watched = new();
        using PrivateNetwork other = new();
        using NetworkMonitor monitor = watched.Run(() => new NetworkMonitor());

        other.Ip("link add foreign type veth peer name foreignpeer");
        watched.Ip("link add own type veth peer name ownpeer");

        await using IAsyncEnumerator<NetworkChange> changes = Read(monitor);
        await Next(changes, change =>
        {
            Assert.DoesNotContain("foreign", change.Link?.Name ?? "", StringComparison.Ordinal);
            return change.Link?.Name == "own";
        });
    }

    [PrivilegedFact]
    public async Task Changes_the_kernel_dropped_are_an_overrun_and_later_ones_follow()
    {
        using PrivateNetwork network = WithLink();
        using NetworkMonitor monitor = network.Run(() => new NetworkMonitor(receiveBuffer: 8 * 1024, maxQueued: 64 * 1024));

        // Nobody reads yet.
        network.IpBatch(Neighbors(500));

        await using IAsyncEnumerator<NetworkChange> changes = Read(monitor);
        await Next(changes, change => change == new NetworkChange(NetworkChangeKind.Overrun));
        network.Ip("link add later type veth peer name laterpeer");
        await Next(changes, change => change.Link?.Name == "later");
    }

    [PrivilegedFact]
    public async Task A_reader_that_falls_behind_gets_an_overrun_after_what_was_queued()
    {
        const int Queued = 10;
        using PrivateNetwork network = WithLink();
        using NetworkMonitor monitor = network.Run(() => new NetworkMonitor(receiveBuffer: 8 * 1024 * 1024, maxQueued: Queued));
        network.IpBatch(Neighbors(500));
        await using IAsyncEnumerator<NetworkChange> changes = Read(monitor);
        await Eventually.True(() => monitor.Queued > Queued, "the queue is full");

        for (int i = 0; i < Queued; i++)
        {
            Assert.True(await changes.MoveNextAsync());
            Assert.NotEqual(NetworkChangeKind.Overrun, changes.Current.Kind);
        }

        Assert.True(await changes.MoveNextAsync());
        Assert.Equal(new NetworkChange(NetworkChangeKind.Overrun), changes.Current);
    }

    [PrivilegedFact]
    public async Task Disposal_ends_reading()
    {
        using PrivateNetwork network = new();
        NetworkMonitor monitor = network.Run(() => new NetworkMonitor());
        await using IAsyncEnumerator<NetworkChange> changes = Read(monitor);
        ValueTask<bool> next = changes.MoveNextAsync();

        monitor.Dispose();
        monitor.Dispose();

        Assert.False(await next);
        Assert.Throws<ObjectDisposedException>(() => monitor.ReadAsync(default));
    }

    [PrivilegedFact]
    public async Task Cancellation_ends_the_reader_and_not_the_subscription()
    {
        using PrivateNetwork network = new();
        using NetworkMonitor monitor = network.Run(() => new NetworkMonitor());
        using CancellationTokenSource stopping = new();
        await using (IAsyncEnumerator<NetworkChange> first = monitor.ReadAsync(stopping.Token).GetAsyncEnumerator())
        {
            ValueTask<bool> next = first.MoveNextAsync();
            await stopping.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await next);
        }

        network.Ip("link add later type veth peer name other");
        await using IAsyncEnumerator<NetworkChange> changes = Read(monitor);
        await Next(changes, change => change.Link?.Name == "later");
    }

    private static PrivateNetwork WithLink()
    {
        PrivateNetwork network = new();
        network.Ip("link add left index 101 type veth peer name right");
        network.Ip("link set left up");
        network.Ip("link set right up");
        return network;
    }

    private static IEnumerable<string> Neighbors(int count)
        => Enumerable.Range(0, count).Select(i => $"neigh add 10.0.{i / 250}.{(i % 250) + 1} lladdr 02:00:00:00:00:07 dev left nud permanent");

    private static IAsyncEnumerator<NetworkChange> Read(NetworkMonitor monitor)
        => monitor.ReadAsync(Eventually.Timeout()).GetAsyncEnumerator();

    private static bool IsAddress(NetworkChange change, NetworkChangeKind kind, string address, int length)
        => change.Kind == kind && change.Address is { LinkIndex: 101 } found
            && found.PrefixLength == length && found.Address.Equals(IPAddress.Parse(address));

    private static bool IsRoute(NetworkChange change, string destination, string gateway)
        => change is { Kind: NetworkChangeKind.RouteChanged, Route: { OutputIndex: 101 } route }
            && Equals(route.Destination, IPAddress.Parse(destination)) && Equals(route.Gateway, IPAddress.Parse(gateway));

    /// <summary>Passes over what other parts of the kernel have to say meanwhile.</summary>
    private static async Task<NetworkChange> Next(IAsyncEnumerator<NetworkChange> changes, Predicate<NetworkChange> wanted)
    {
        while (await changes.MoveNextAsync())
        {
            if (wanted(changes.Current))
                return changes.Current;
        }

        throw new InvalidOperationException("the monitor ended");
    }
}
