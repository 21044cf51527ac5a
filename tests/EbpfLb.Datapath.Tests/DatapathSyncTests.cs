// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.LoadBalancing.Model;
using static EbpfLb.Datapath.Tests.Cluster;

namespace EbpfLb.Datapath.Tests;

public sealed class DatapathSyncTests
{
    private readonly InMemoryMaps _maps = new();

    [Fact]
    public void A_service_with_endpoints_is_programmed_with_all_it_names()
    {
        var cluster = new Cluster(_maps);
        var report = cluster.Apply(Service("web", "10.96.0.10"), Slice("web", "10.244.1.11", "10.244.1.12"));

        Assert.True(report.IsClean);
        Assert.Empty(cluster.Inconsistencies);
        Assert.Equal(
            """
            default/web TCP IPv4
              frontend 10.96.0.10:80/TCP
              cluster 10.244.1.11:8080
              cluster 10.244.1.12:8080

            """, cluster.Text);
    }

    [Fact]
    public void A_service_without_endpoints_has_its_frontend_and_empty_lists()
    {
        var cluster = new Cluster(_maps);
        cluster.Apply(Service("web", "10.96.0.10"));

        var service = Assert.Single(_maps.Services.ReadAll()).Value;
        Assert.Equal(0u, service.Cluster.Count);
        Assert.Equal(0u, service.Local.Count);
        Assert.Single(_maps.Frontends.ReadAll());
    }

    [Fact]
    public void Nothing_is_written_when_nothing_changed()
    {
        var cluster = new Cluster(_maps);
        object[] objects = [Service("web", "10.96.0.10"), Slice("web", "10.244.1.11")];
        cluster.Apply(objects);
        long before = _maps.Writes;

        cluster.Apply(objects);
        Assert.Equal(0, cluster.Restart().MapWrites);
        Assert.Equal(before, _maps.Writes);
    }

    [Fact]
    public void One_endpoint_replaced_by_another_takes_three_writes_and_two_for_the_counters()
    {
        var cluster = new Cluster(_maps);
        cluster.Apply(Service("web", "10.96.0.10"), Slice("web", "10.244.1.11", "10.244.1.12"));

        // The new backend, the flip, the old backend; the counters of both backends.
        Assert.Equal(5, cluster.Apply(Slice("web", "10.244.1.11", "10.244.1.13")).MapWrites);
        Assert.Empty(cluster.Inconsistencies);
    }

    [Fact]
    public void A_backend_that_comes_back_gets_its_own_id_again()
    {
        var cluster = new Cluster(_maps);
        cluster.Apply(Service("web", "10.96.0.10"), Slice("web", "10.244.1.11", "10.244.1.12"));
        var before = IdsByAddress();
        cluster.Apply(Slice("web", "10.244.1.12", "10.244.1.13"));
        cluster.Apply(Slice("web", "10.244.1.11", "10.244.1.12", "10.244.1.13"));
        var after = IdsByAddress();
        Assert.Equal(before, after.Where(entry => before.ContainsKey(entry.Key)).ToDictionary());
        Assert.Equal(3, after.Values.Distinct().Count());

        // Also with a service that went and came back.
        cluster.Remove("web");
        Assert.Empty(_maps.Backends.ReadAll());
        cluster.Apply(Service("web", "10.96.0.10"), Slice("web", "10.244.1.11", "10.244.1.12", "10.244.1.13"));
        Assert.Equal(after, IdsByAddress());
        Assert.Empty(cluster.Inconsistencies);
    }

    [Fact]
    public void The_slots_of_a_list_in_use_are_not_written()
    {
        var cluster = new Cluster(_maps);
        cluster.Apply(Service("web", "10.96.0.10"), Slice("web", "10.244.1.11"));
        var before = Assert.Single(_maps.Services.ReadAll()).Value.Cluster;

        cluster.Apply(Slice("web", "10.244.1.12"));
        var after = Assert.Single(_maps.Services.ReadAll()).Value.Cluster;
        Assert.NotEqual(before.Base, after.Base);

        cluster.Time.Advance(TimeSpan.FromSeconds(1));
        cluster.Apply(Slice("web", "10.244.1.13"));
        Assert.Equal(before.Base, Assert.Single(_maps.Services.ReadAll()).Value.Cluster.Base);
    }

    [Fact]
    public void A_service_that_goes_leaves_every_map_empty()
    {
        var cluster = new Cluster(_maps);
        cluster.Apply(Service("web", "10.96.0.10"), Slice("web", "10.244.1.11"));
        Assert.True(cluster.Remove("web").IsClean);

        Assert.Empty(_maps.Frontends.ReadAll());
        Assert.Empty(_maps.Vips.ReadAll());
        Assert.Empty(_maps.Services.ReadAll());
        Assert.Empty(_maps.Backends.ReadAll());
        Assert.Empty(_maps.ServiceNames.ReadAll());
        Assert.Empty(_maps.Counters.ReadAll());
    }

    [Fact]
    public void An_address_stays_known_as_long_as_one_of_its_frontends_lives()
    {
        var cluster = new Cluster(_maps);
        var both = Service("web", "10.96.0.10", with: service => service with
        {
            Ports = [new ServicePort("a", Protocol.Tcp, 80), new ServicePort("b", Protocol.Tcp, 81)],
        });
        cluster.Apply(both);
        Assert.Single(_maps.Vips.ReadAll());

        cluster.Apply(both with { Ports = [new ServicePort("a", Protocol.Tcp, 80)] });
        Assert.Single(_maps.Vips.ReadAll());
        Assert.Empty(cluster.Inconsistencies);
    }

    [Fact]
    public void A_frontend_goes_from_one_service_to_another_without_a_gap()
    {
        var cluster = new Cluster(_maps);
        var old = Service("old", "10.96.0.10", with: service => service with { CreatedAt = DateTimeOffset.UnixEpoch });
        cluster.Apply(old, Service("new", "10.96.0.10"), Slice("old", "10.244.1.11"), Slice("new", "10.244.1.12"));
        Assert.Contains("default/old TCP IPv4\n  frontend", cluster.Text, StringComparison.Ordinal);
        var key = Assert.Single(_maps.Frontends.ReadAll()).Key;
        long deletes = ((InMemoryMap<FrontendKey, FrontendValue>)_maps.Frontends).Deletes;

        cluster.Remove("old");
        Assert.Equal(key, Assert.Single(_maps.Frontends.ReadAll()).Key);
        Assert.Equal(deletes, ((InMemoryMap<FrontendKey, FrontendValue>)_maps.Frontends).Deletes);
        Assert.Contains("default/new TCP IPv4\n  frontend", cluster.Text, StringComparison.Ordinal);
        Assert.Empty(cluster.Inconsistencies);
    }

    [Fact]
    public void Ids_survive_a_restart()
    {
        var cluster = new Cluster(_maps);
        cluster.Apply(Service("web", "10.96.0.10"), Slice("web", "10.244.1.11"), Service("dns", "10.96.0.53"), Slice("dns", "10.244.1.12"));
        var backends = _maps.Backends.ReadAll().OrderBy(entry => entry.Key).ToArray();
        var services = _maps.Services.ReadAll().OrderBy(entry => entry.Key).ToArray();

        cluster.Restart();
        Assert.Equal(backends, _maps.Backends.ReadAll().OrderBy(entry => entry.Key));
        Assert.Equal(services, _maps.Services.ReadAll().OrderBy(entry => entry.Key));
    }

    [Fact]
    public void What_vanished_while_the_agent_was_down_goes_once_every_source_has_listed()
    {
        new Cluster(_maps).Apply(Service("gone", "10.96.0.10"), Slice("gone", "10.244.1.11"));

        var restarted = new Cluster(_maps, complete: false);
        restarted.Apply(Service("web", "10.96.0.11"), Slice("web", "10.244.1.12"));
        Assert.Contains("default/gone", restarted.Text, StringComparison.Ordinal);

        restarted.Complete();
        Assert.DoesNotContain("default/gone", restarted.Text, StringComparison.Ordinal);
        Assert.Empty(restarted.Inconsistencies);
    }

    [Fact]
    public void A_source_that_lacks_the_endpoints_does_not_empty_a_restored_service()
    {
        new Cluster(_maps).Apply(Service("web", "10.96.0.10"), Slice("web", "10.244.1.11"));

        var restarted = new Cluster(_maps, complete: false);
        restarted.Apply(Service("web", "10.96.0.10"));
        Assert.Contains("cluster 10.244.1.11:8080", restarted.Text, StringComparison.Ordinal);

        restarted.Complete();
        Assert.DoesNotContain("cluster", restarted.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_port_that_left_while_the_agent_was_down_goes_with_its_frontend()
    {
        var two = Service("web", "10.96.0.10", with: service => service with
        {
            Ports = [new ServicePort("a", Protocol.Tcp, 80), new ServicePort("b", Protocol.Tcp, 81)],
        });
        new Cluster(_maps).Apply(two);

        var restarted = new Cluster(_maps, complete: false);
        restarted.Apply(two with { Ports = [new ServicePort("a", Protocol.Tcp, 80)] });
        Assert.Equal(2, _maps.Frontends.ReadAll().Count);

        restarted.Complete();
        Assert.Single(_maps.Frontends.ReadAll());
        Assert.Empty(restarted.Inconsistencies);
    }

    [Fact]
    public void A_service_that_does_not_fit_is_absent_as_a_whole_and_programmed_when_there_is_room()
    {
        var maps = new InMemoryMaps(new Dictionary<string, uint> { [MapNames.Backends] = 3 });
        var cluster = new Cluster(maps);
        cluster.Apply(Service("a", "10.96.0.10"), Slice("a", "10.244.1.11", "10.244.1.12"));
        var report = cluster.Apply(Service("b", "10.96.0.11"), Slice("b", "10.244.1.13", "10.244.1.14"));

        var failure = Assert.Single(report.Failures);
        Assert.Equal("default/b", failure.Service.ToString());
        Assert.True(failure.IsAbsent);
        Assert.Contains("backends_v1 is full (3 entries)", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("default/b", cluster.Text, StringComparison.Ordinal);
        Assert.Equal(2, maps.Backends.ReadAll().Count);
        Assert.Empty(cluster.Inconsistencies);

        Assert.Empty(cluster.Remove("a").Failures);
        Assert.Contains("default/b", cluster.Text, StringComparison.Ordinal);
        Assert.Empty(cluster.Inconsistencies);
    }

    [Theory]
    [InlineData(MapNames.Frontends)]
    [InlineData(MapNames.Vips)]
    [InlineData(MapNames.Services)]
    [InlineData(MapNames.ServiceNames)]
    [InlineData(MapNames.Backends)]
    [InlineData(MapNames.Slots)]
    public void Whichever_map_is_full_the_others_hold_nothing_of_the_service_that_did_not_fit(string full)
    {
        var maps = new InMemoryMaps(new Dictionary<string, uint> { [full] = 1 });
        var cluster = new Cluster(maps);
        cluster.Apply(Service("a", "10.96.0.10"), Slice("a", "10.244.1.11"));
        string before = cluster.Text;
        var report = cluster.Apply(Service("b", "10.96.0.11"), Slice("b", "10.244.1.13"));

        Assert.Equal(full, Assert.Single(report.Failures).Map);
        Assert.Equal(before, cluster.Text);
        Assert.Empty(cluster.Inconsistencies);
        Assert.Single(maps.Backends.ReadAll());
    }

    [Fact]
    public void A_service_that_grows_beyond_a_full_map_keeps_its_last_version()
    {
        var maps = new InMemoryMaps(new Dictionary<string, uint> { [MapNames.Backends] = 2 });
        var cluster = new Cluster(maps);
        cluster.Apply(Service("a", "10.96.0.10"), Slice("a", "10.244.1.11"));
        string before = cluster.Text;
        var report = cluster.Apply(Slice("a", "10.244.1.11", "10.244.1.12", "10.244.1.13"));

        Assert.False(Assert.Single(report.Failures).IsAbsent);
        Assert.Equal(before, cluster.Text);
        Assert.Single(maps.Backends.ReadAll());
        Assert.Empty(cluster.Inconsistencies);
    }

    [Fact]
    public void Entries_that_a_killed_agent_left_half_done_are_cleaned_up()
    {
        var cluster = new Cluster(_maps);
        cluster.Apply(Service("web", "10.96.0.10"), Slice("web", "10.244.1.11"));
        string expected = cluster.Text;

        _maps.Backends.Put(900, new BackendValue { ServiceId = 901 });
        _maps.ServiceNames.Put(902, new ServiceNameValue { Name = "default/half", Protocol = Protocol.Tcp, Family = AddressFamily.IPv4 });
        _maps.Services.Put(903, new ServiceValue());
        _maps.Frontends.Put(new FrontendKey { Address = Address.Parse("10.96.9.9"), Port = new BigEndian16(1), Protocol = Protocol.Tcp },
            new FrontendValue { ServiceId = 904 });
        _maps.ServiceNames.Put(905, new ServiceNameValue { Name = "default/web", Protocol = Protocol.Tcp, Family = AddressFamily.IPv4 });
        _maps.Services.Put(905, new ServiceValue());
        _maps.Vips.Put(Address.Parse("10.96.8.8"), default);

        cluster.Restart();
        Assert.Equal(expected, cluster.Text);
        Assert.Empty(cluster.Inconsistencies);
        Assert.Equal(3, cluster.Sync.RestoreFindings.Count);
    }

    [Fact]
    public void A_service_whose_slots_were_overwritten_is_rebuilt()
    {
        var cluster = new Cluster(_maps);
        cluster.Apply(Service("a", "10.96.0.10"), Slice("a", "10.244.1.11"), Service("b", "10.96.0.11"), Slice("b", "10.244.1.12"));
        string expected = cluster.Text;
        var (first, second) = (_maps.Services.ReadAll()[0], _maps.Services.ReadAll()[1]);
        _maps.Services.Put(second.Key, second.Value with { Cluster = first.Value.Cluster });
        _maps.Services.Put(first.Key, first.Value with { Local = new SlotRange { Base = uint.MaxValue, Count = 7 } });
        Assert.NotEmpty(cluster.Inconsistencies);

        cluster.Restart();
        Assert.Equal(expected, cluster.Text);
        Assert.Empty(cluster.Inconsistencies);
        Assert.NotEmpty(cluster.Sync.RestoreFindings);
    }

    [Fact]
    public void S116_A_backend_that_keeps_only_its_flows_of_datagrams_keeps_no_affinity()
    {
        var cluster = new Cluster(_maps);
        var dns = Service("dns", "10.96.0.10", with: service => service with
        {
            AffinityTimeoutSeconds = 60,
            Ports = [new ServicePort("", Protocol.Udp, 53)],
        });
        var slice = Slice("dns", "10.244.1.11", "10.244.1.12") with { Ports = [new EndpointPort("", Protocol.Udp, 53)] };
        cluster.Apply(dns, slice);
        uint service = Assert.Single(_maps.Services.ReadAll()).Key;
        foreach (var (id, backend) in _maps.Backends.ReadAll())
        {
            var client = new AffinityKey { Client = backend.Address, ServiceId = service, ClientKind = ClientKind.NetNs };
            _maps.Affinity.Put(client, new AffinityValue { BackendId = id, LastUsedNs = 5_000_000_000 });
        }

        Assert.False(cluster.Sync.AffinitySweepDue);
        cluster.Apply(slice with { Endpoints = [slice.Endpoints[0] with { Ready = false, Terminating = true }, slice.Endpoints[1]] });
        Assert.Equal(2, _maps.Backends.ReadAll().Count);
        Assert.True(cluster.Sync.AffinitySweepDue);
        Assert.Equal(1, cluster.Sync.SweepAffinity(nowNs: 6_000_000_000));
        Assert.Equal("10.244.1.12", Assert.Single(_maps.Affinity.ReadAll()).Key.Client.ToString());
    }

    [Fact]
    public void Affinity_of_a_backend_that_went_is_swept_and_that_of_others_kept()
    {
        var cluster = new Cluster(_maps);
        var web = Service("web", "10.96.0.10", with: service => service with { AffinityTimeoutSeconds = 60 });
        cluster.Apply(web, Slice("web", "10.244.1.11", "10.244.1.12"));
        uint service = Assert.Single(_maps.Services.ReadAll()).Key;
        foreach (var (id, backend) in _maps.Backends.ReadAll())
        {
            var client = new AffinityKey { Client = backend.Address, ServiceId = service, ClientKind = ClientKind.NetNs };
            _maps.Affinity.Put(client, new AffinityValue { BackendId = id, LastUsedNs = 5_000_000_000 });
        }

        cluster.Apply(Slice("web", "10.244.1.12"));
        Assert.True(cluster.Sync.AffinitySweepDue);
        Assert.Equal(1, cluster.Sync.SweepAffinity(nowNs: 6_000_000_000));
        Assert.Equal("10.244.1.12", Assert.Single(_maps.Affinity.ReadAll()).Key.Client.ToString());

        Assert.Equal(1, cluster.Sync.SweepAffinity(nowNs: 65_000_000_000));
        Assert.Empty(_maps.Affinity.ReadAll());
    }

    [Fact]
    public void A_maglev_service_gets_its_table_and_another_when_it_shrinks()
    {
        var cluster = new Cluster(_maps);
        cluster.Apply(
            Service("web", "10.96.0.10", with: service => service with { Algorithm = Algorithm.Maglev }),
            Slice("web", "10.244.1.11", "10.244.1.12", "10.244.1.13"));
        Assert.Equal(509u, Assert.Single(_maps.Services.ReadAll()).Value.Cluster.Count);
        Assert.Empty(cluster.Inconsistencies);

        cluster.Apply(Slice("web", "10.244.1.11", "10.244.1.12"));
        Assert.Equal(251u, Assert.Single(_maps.Services.ReadAll()).Value.Cluster.Count);
        Assert.Empty(cluster.Inconsistencies);
    }

    private Dictionary<Address, uint> IdsByAddress() => _maps.Backends.ReadAll().ToDictionary(entry => entry.Value.Address, entry => entry.Key);
}
