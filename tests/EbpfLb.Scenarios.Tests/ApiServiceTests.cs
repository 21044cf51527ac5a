// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Inspection;
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Sync;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;

namespace EbpfLb.Scenarios.Tests;

/// <summary>default/kubernetes down to the maps, over the lives of several agents.</summary>
public sealed class ApiServiceTests
{
    private static readonly ObjectName Api = new("default", "kubernetes");

    private static readonly Service Service = new()
    {
        Name = Api,
        ClusterIPs = [Address.Parse("10.96.0.1")],
        Ports = [new ServicePort("https", Protocol.Tcp, 443)],
    };

    private static readonly EndpointSlice Slice = new()
    {
        Name = Api,
        Service = Api,
        Family = AddressFamily.IPv4,
        Ports = [new EndpointPort("https", Protocol.Tcp, 6443)],
        Endpoints = [new Endpoint { Address = Address.Parse("192.0.2.1") }],
    };

    private readonly InMemoryMaps _maps = new();
    private readonly ManualTime _time = new();
    private ClusterStateWriter _writer = null!;
    private DesiredState _desired = null!;
    private DatapathSync _sync = null!;

    [Fact]
    public void S146_Its_frontend_leads_to_its_last_backends_whatever_goes_and_whoever_restarts()
    {
        Start();
        Reconcile(new ClusterChange { UpsertedServices = [Service], UpsertedSlices = [Slice] });
        string full = MapText.Write(DatapathSnapshot.Read(_maps));
        Assert.Contains("cluster 192.0.2.1:6443", full, StringComparison.Ordinal);

        Reconcile(new ClusterChange { RemovedSlices = [Api] });
        AssertKept(full);
        Reconcile(new ClusterChange { RemovedServices = [Api] });
        AssertKept(full);

        Start();
        Reconcile(new ClusterChange { UpsertedServices = [Service] });
        AssertKept(full);
        Start();
        Reconcile(new ClusterChange { UpsertedServices = [Service], UpsertedSlices = [Slice with { Endpoints = default }] });
        AssertKept(full);

        Reconcile(new ClusterChange { UpsertedSlices = [Slice] });
        Assert.Equal(full, MapText.Write(DatapathSnapshot.Read(_maps)));
        Assert.Empty(_desired.Kept);
    }

    [Fact]
    public void A_list_without_the_Service_after_a_restart_leaves_nothing()
    {
        Start();
        Reconcile(new ClusterChange { UpsertedServices = [Service], UpsertedSlices = [Slice] });
        Start();
        Reconcile(new ClusterChange());
        Assert.Equal("", MapText.Write(DatapathSnapshot.Read(_maps)));
    }

    private void AssertKept(string full)
    {
        Assert.Equal(full, MapText.Write(DatapathSnapshot.Read(_maps)));
        Assert.Single(_desired.Kept);
    }

    private void Start()
    {
        _writer = new ClusterStateWriter();
        _writer.RegisterSource("test");
        _desired = new DesiredState(new DesiredStateOptions { NodeName = "node-1" });
        _sync = DatapathSync.Restore(_maps, new DatapathSyncOptions(), _time);
        foreach (var (key, backends) in _sync.ProgrammedBackends(Api))
            _desired.Recall(key, backends);
    }

    private void Reconcile(ClusterChange change)
    {
        _writer.Apply(change);
        _writer.SetListed("test", complete: true);
        _time.Advance(TimeSpan.FromSeconds(1));
        var delta = _writer.Take();
        Assert.True(_sync.Apply(_desired.Update(delta.State, delta.Dirty), delta.IsComplete).IsClean);
        Assert.Empty(DatapathSnapshot.Read(_maps).Inconsistencies);
    }
}
