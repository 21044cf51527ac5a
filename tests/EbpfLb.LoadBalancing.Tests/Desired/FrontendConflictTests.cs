// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;
using static EbpfLb.LoadBalancing.Tests.Objects;

namespace EbpfLb.LoadBalancing.Tests.Desired;

public sealed class FrontendConflictTests
{
    private static readonly FrontendAddress Contested = Frontend("10.96.0.1");
    // Named against their age, so that the order of names cannot stand in for it.
    private static readonly Service Old = Service("default/old", "10.96.0.1") with { CreatedAt = Time(1) };
    private static readonly Service Young = Service("default/new", "10.96.0.1") with { CreatedAt = Time(2) };
    private readonly ClusterStateWriter _writer = OpenWriter();
    private readonly DesiredState _desired = new(new DesiredStateOptions { NodeName = ThisNode });

    [Theory]
    [InlineData("old young")]
    [InlineData("young old")]
    [InlineData("both")]
    public void The_oldest_service_has_the_frontend_whoever_arrives_first(string arrivals)
    {
        foreach (string arrival in arrivals.Split(' '))
            Update(arrival switch { "old" => Change(Old), "young" => Change(Young), _ => Change(Young, Old) });

        Assert.Equal(Old.Name, Holder(Contested));
        Assert.Equal([new FrontendConflict(Contested, Key("default/old"), Key("default/new"))], _desired.Conflicts);
    }

    [Fact]
    public void The_loser_stays_without_frontends_and_with_its_backends()
    {
        Update(Change(Old, Young, Slice("default/new-1", "default/new", Ready("10.244.0.1"))));
        var port = Assert.Single(_desired.Services[Young.Name].Ports);
        Assert.True(port.Frontends.IsEmpty);
        Assert.Single(port.Backends);
    }

    [Fact]
    public void When_the_winner_arrives_late_the_loser_gives_the_frontend_up_in_the_same_update()
    {
        Update(Change(Young));
        var changes = Update(Change(Old));
        Assert.Equal([Young.Name, Old.Name], changes.Upserted.Select(static service => service.Name));
        Assert.Equal([new FrontendConflict(Contested, Key("default/old"), Key("default/new"))], changes.NewConflicts);
    }

    [Fact]
    public void When_the_winner_goes_the_loser_takes_over_in_the_same_update()
    {
        Update(Change(Old, Young));
        var changes = Update(new ClusterChange { RemovedServices = [Old.Name] });
        Assert.Equal([Old.Name], changes.Removed);
        Assert.Equal([Young.Name], changes.Upserted.Select(static service => service.Name));
        Assert.Equal([new FrontendConflict(Contested, Key("default/old"), Key("default/new"))], changes.ResolvedConflicts);
        Assert.Equal(Young.Name, Holder(Contested));
        Assert.Empty(_desired.Conflicts);
    }

    [Fact]
    public void When_the_winner_moves_to_another_address_or_port_the_loser_takes_over()
    {
        Update(Change(Old, Young));
        Update(Change(Old with { ClusterIPs = Addresses("10.96.0.2") }));
        Assert.Equal(Young.Name, Holder(Contested));
        Update(Change(Old));
        Assert.Equal(Old.Name, Holder(Contested));
        Update(Change(Old with { Ports = [Http with { Port = 81 }] }));
        Assert.Equal(Young.Name, Holder(Contested));
        Assert.Empty(_desired.Conflicts);
    }

    [Fact]
    public void When_the_loser_goes_the_winner_is_left_alone()
    {
        Update(Change(Old, Young));
        var changes = Update(new ClusterChange { RemovedServices = [Young.Name] });
        Assert.Empty(changes.Upserted);
        Assert.Single(changes.ResolvedConflicts);
        Assert.Equal(Old.Name, Holder(Contested));
    }

    [Fact]
    public void A_conflict_is_reported_once()
    {
        Assert.Single(Update(Change(Old, Young)).NewConflicts);
        var changes = Update(Change(Young with { AffinityTimeoutSeconds = 9 }, Old with { AffinityTimeoutSeconds = 9 }));
        Assert.Empty(changes.NewConflicts);
        Assert.Empty(changes.ResolvedConflicts);
        Assert.Single(_desired.Conflicts);
    }

    [Fact]
    public void Of_several_losers_the_oldest_is_next_and_their_conflict_has_a_new_winner()
    {
        var youngest = Young with { Name = Name("default/youngest"), CreatedAt = Time(3) };
        Update(Change(youngest, Old, Young));
        Assert.Equal([Key("default/new"), Key("default/youngest")], _desired.Conflicts.Select(static conflict => conflict.Loser));

        var changes = Update(new ClusterChange { RemovedServices = [Old.Name] });
        Assert.Equal(Young.Name, Holder(Contested));
        Assert.Equal([new FrontendConflict(Contested, Key("default/new"), Key("default/youngest"))], changes.NewConflicts);
        Assert.Equal(2, changes.ResolvedConflicts.Count);
    }

    [Fact]
    public void A_service_of_unknown_age_counts_as_the_newest()
    {
        Update(Change(Old with { CreatedAt = null }, Young));
        Assert.Equal(Young.Name, Holder(Contested));
    }

    [Fact]
    public void Of_services_of_one_age_the_first_by_name_has_it()
    {
        Update(Change(Young with { Name = Name("b/a"), CreatedAt = null }, Old with { Name = Name("a/b"), CreatedAt = null }));
        Assert.Equal(Name("a/b"), Holder(Contested));
    }

    [Fact]
    public void A_service_recreated_under_its_name_queues_as_a_new_one()
    {
        Update(Change(Old, Young));
        var changes = Update(Change(Old with { CreatedAt = Time(3) }));
        Assert.Equal(Young.Name, Holder(Contested));
        Assert.Equal([Young.Name, Old.Name], changes.Upserted.Select(static service => service.Name));
    }

    [Fact]
    public void Two_ports_of_one_service_that_collide_are_a_conflict_the_first_by_name_wins()
    {
        var changes = Update(Change(Service("default/web", "10.96.0.1", new("b", Protocol.Tcp, 80), new("a", Protocol.Tcp, 80))));
        Assert.Equal(
            [new FrontendConflict(Contested, Key("default/web", "a"), Key("default/web", "b"))], changes.NewConflicts);
        var ports = _desired.Services[Name("default/web")].Ports;
        Assert.Equal(["a", "b"], ports.Select(static port => port.Key.PortName));
        Assert.Single(ports[0].Frontends);
        Assert.True(ports[1].Frontends.IsEmpty);

        // The port of the winner goes.
        Update(Change(Service("default/web", "10.96.0.1", new ServicePort("b", Protocol.Tcp, 80))));
        Assert.Single(Assert.Single(_desired.Services[Name("default/web")].Ports).Frontends);
        Assert.Empty(_desired.Conflicts);
    }

    [Fact]
    public void Another_protocol_port_or_family_is_no_conflict()
    {
        Update(Change(
            Old,
            Service("default/a", "10.96.0.1", new ServicePort("a", Protocol.Udp, 80)),
            Service("default/b", "10.96.0.1", new ServicePort("a", Protocol.Tcp, 81)),
            Service("default/c", "10.96.0.2"),
            Service("default/d", "fd00::1")));
        Assert.Empty(_desired.Conflicts);
    }

    [Fact]
    public void A_service_may_lose_one_port_and_win_another()
    {
        Update(Change(Old, Young with { Ports = [Http, new("https", Protocol.Tcp, 443)] }));
        var ports = _desired.Services[Young.Name].Ports;
        Assert.True(ports[0].Frontends.IsEmpty);
        Assert.Equal(Frontend("10.96.0.1", 443), Assert.Single(ports[1].Frontends).Key);
    }

    [Fact]
    public void A_conflict_reads_like_what_an_operator_typed()
    {
        Update(Change(Old, Young));
        var conflict = Assert.Single(_desired.Conflicts);
        Assert.Equal("10.96.0.1:80/TCP", conflict.Frontend.ToString());
        Assert.Equal("default/old:http", conflict.Winner.DisplayName);
        Assert.Equal("[fd00::1]:80/TCP", Frontend("fd00::1").ToString());
    }

    private ObjectName Holder(FrontendAddress frontend) => Assert.Single(
        _desired.Services.Values,
        service => service.Ports.Any(port => port.Frontends.Any(held => held.Key == frontend))).Name;

    private DesiredChanges Update(ClusterChange change)
    {
        _writer.Apply(change);
        var delta = _writer.Take();
        return _desired.Update(delta.State, delta.Dirty);
    }
}
