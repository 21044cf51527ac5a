// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Audit;
using EbpfLb.Datapath.Maps;
using EbpfLb.LoadBalancing.Model;
using static EbpfLb.Datapath.Tests.Cluster;

namespace EbpfLb.Datapath.Tests;

/// <summary>Starts with half a source, ports that are renamed, writes that are refused: where traffic is lost if anything is.</summary>
public sealed class PartialSourceAndRefusalTests
{
    private readonly InMemoryMaps _maps = new();

    [Fact]
    public void A_frontend_that_changed_while_the_agent_was_down_goes_when_the_source_is_complete()
    {
        new Cluster(_maps).Apply(Service("web", "10.96.0.10"), Slice("web", "10.244.1.11"));
        var restarted = new Cluster(_maps, complete: false);
        restarted.Apply(Service("web", "10.96.0.99"), Slice("web", "10.244.1.11"));

        Assert.False(restarted.Sync.IsComplete);
        Assert.True(restarted.Complete().IsClean);
        Assert.True(restarted.Sync.IsComplete);
        Assert.DoesNotContain("10.96.0.10:80", restarted.Text, StringComparison.Ordinal);
        Assert.Empty(restarted.Inconsistencies);
    }

    [Theory]
    [InlineData(MapNames.Services)]
    [InlineData(MapNames.Backends)]
    [InlineData(MapNames.ServiceNames)]
    public void A_renamed_port_that_does_not_fit_leaves_the_old_one_serving(string full)
    {
        var maps = new InMemoryMaps(new Dictionary<string, uint> { [full] = 1 });
        var cluster = new Cluster(maps);
        cluster.Apply(Named("a"), SliceOf("a"));
        string before = cluster.Text;

        var failure = Assert.Single(cluster.Apply(Named("b"), SliceOf("b")).Failures);
        Assert.False(failure.IsAbsent);
        Assert.Equal(before, cluster.Text);
    }

    [Fact]
    public void A_renamed_port_whose_write_fails_once_leaves_the_old_one_serving_until_it_succeeds()
    {
        int failing = 0;
        var maps = new InMemoryMaps(fault: () => failing-- > 0 ? new MapWrite(MapError.OutOfMemory, "ENOMEM") : null);
        var cluster = new Cluster(maps);
        cluster.Apply(Named("a"), SliceOf("a"));

        failing = 1;
        cluster.Apply(Named("b"), SliceOf("b"));
        Assert.Contains("default/web:a TCP IPv4\n  frontend", cluster.Text, StringComparison.Ordinal);
        cluster.ReconcileUntilClean();
        Assert.Contains("default/web:b TCP IPv4\n  frontend", cluster.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("default/web:a", cluster.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_id_freed_before_a_restart_is_not_given_again_after_it()
    {
        var cluster = new Cluster(_maps);
        cluster.Apply(Service("web", "10.96.0.10"), Slice("web", "10.244.1.11", "10.244.1.12"));
        uint gone = _maps.Backends.ReadAll().Single(entry => entry.Value.Address == Address.Parse("10.244.1.12")).Key;
        cluster.Apply(Slice("web", "10.244.1.11"));
        cluster.Restart();
        cluster.Apply(Slice("web", "10.244.1.11", "10.244.1.13"));
        Assert.DoesNotContain(_maps.Backends.ReadAll(), entry => entry.Key == gone);
    }

    [Fact]
    public void A_frontend_whose_winner_does_not_fit_does_not_go_on_leading_to_the_loser()
    {
        var maps = new InMemoryMaps(new Dictionary<string, uint> { [MapNames.Backends] = 1 });
        var cluster = new Cluster(maps);
        cluster.Apply(Service("a", "10.96.0.10"), Slice("a", "10.244.1.11"));
        cluster.Apply(Service("a", "10.96.0.77"), Service("b", "10.96.0.10"), Slice("b", "10.244.1.21"));
        Assert.DoesNotContain("10.96.0.10:80", cluster.Text, StringComparison.Ordinal);
        Assert.Contains("10.96.0.77:80", cluster.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Services_that_failed_cost_nothing_until_they_are_to_be_tried_again()
    {
        var maps = new InMemoryMaps(new Dictionary<string, uint> { [MapNames.Frontends] = 10 });
        var cluster = new Cluster(maps);
        cluster.Apply([.. Enumerable.Range(1, 200).Select(number => Service($"s{number:d3}", $"10.96.1.{number}"))]);
        Assert.Equal(190, cluster.Sync.Failures.Count);

        var report = cluster.Apply(retry: false, Slice("s001", "10.244.1.11"));
        Assert.True(report.MapWrites <= 3, $"{report.MapWrites} writes for one endpoint");
        Assert.Equal(190, report.Failures.Count);
    }

    [Fact]
    public void Until_the_source_is_complete_endpoints_that_get_nobody_new_empty_no_restored_service()
    {
        var maps = new InMemoryMaps();
        new Cluster(maps).Apply(Cluster.Service("web", "10.0.0.1"), Cluster.Slice("web", "10.1.0.1"));
        var after = new Cluster(maps, complete: false);
        var slice = Cluster.Slice("web", "10.1.0.9");
        after.Apply(
            Cluster.Service("web", "10.0.0.1"), slice with { Endpoints = [slice.Endpoints[0] with { Ready = false, Serving = false }] });
        Assert.NotEqual(0u, maps.Services.ReadAll().Single().Value.Cluster.Count);
    }

    [Fact]
    public void An_audit_mends_a_table_of_a_service_of_which_another_port_found_no_room()
    {
        var maps = new InMemoryMaps(new Dictionary<string, uint> { [MapNames.Services] = 1 });
        var cluster = new Cluster(maps);
        var (one, two) = (new ServicePort("a", Protocol.Tcp, 80), new ServicePort("b", Protocol.Tcp, 81));
        var slice = Cluster.Slice("web", "10.1.0.1", "10.1.0.2") with
        {
            Ports = [new EndpointPort("a", Protocol.Tcp, 8080), new EndpointPort("b", Protocol.Tcp, 8081)],
        };
        cluster.Apply(Cluster.Service("web", "10.0.0.1", with: service => service with { Ports = [one] }), slice);
        cluster.Apply(Cluster.Service("web", "10.0.0.1", with: service => service with { Ports = [one, two] }));
        Assert.Single(cluster.Sync.Failures);
        maps.Slots.Write(maps.Services.ReadAll().Single().Value.Cluster.Base, [4711u]);
        Assert.NotEmpty(cluster.Sync.Audit(MapImage.Read(maps)).Divergences);
    }

    [Fact]
    public void Two_entries_of_one_service_port_serve_until_the_source_is_complete_and_one_does_after()
    {
        var cluster = new Cluster(_maps);
        cluster.Apply(Service("web", "10.96.0.10"), Slice("web", "10.244.1.11"));
        string expected = cluster.Text;
        var (id, value) = Assert.Single(_maps.Services.ReadAll());
        _maps.ServiceNames.TryGet(id, out var name);
        _maps.ServiceNames.Put(id + 100, name);
        _maps.Services.Put(id + 100, value with { Cluster = default });
        var frontend = Assert.Single(_maps.Frontends.ReadAll());
        var second = frontend.Key with { Port = new Contract.BigEndian16(81) };
        _maps.Frontends.Put(second, frontend.Value with { ServiceId = id + 100 });

        var restarted = new Cluster(_maps, complete: false);
        restarted.Apply(Service("web", "10.96.0.10"), Slice("web", "10.244.1.11"));
        Assert.True(_maps.Frontends.TryGet(second, out _));

        restarted.Complete();
        Assert.Equal(expected, restarted.Text);
        Assert.Empty(restarted.Inconsistencies);
    }

    private static Service Named(string port) =>
        Service("web", "10.96.0.10", with: service => service with { Ports = [new ServicePort(port, Protocol.Tcp, 80)] });

    private static EndpointSlice SliceOf(string port) =>
        Slice("web", "10.244.1.11") with { Ports = [new EndpointPort(port, Protocol.Tcp, 8080)] };
}
