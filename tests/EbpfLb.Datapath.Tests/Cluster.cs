// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Sync;
using EbpfLb.Datapath.Inspection;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;

namespace EbpfLb.Datapath.Tests;

/// <summary>The whole control path without a source: objects in, maps out. The agent can be restarted at any point.</summary>
internal sealed class Cluster
{
    private readonly ClusterStateWriter _writer = new();
    private DesiredState _desired;

    public Cluster(ILbMaps maps, bool complete = true)
    {
        Maps = maps;
        _desired = new DesiredState(new DesiredStateOptions { NodeName = "node1" });
        Sync = DatapathSync.Restore(maps, new DatapathSyncOptions(), Time);
        _writer.RegisterSource("test");
        _writer.SetListed("test", complete);
    }

    public ILbMaps Maps { get; }

    public ManualTime Time { get; } = new();

    public DatapathSync Sync { get; private set; }

    public string Text => MapText.Write(DatapathSnapshot.Read(Maps));

    public IReadOnlyList<string> Inconsistencies => DatapathSnapshot.Read(Maps).Inconsistencies;

    public static Service Service(string name, string vip, ushort port = 80, Func<Service, Service>? with = null)
    {
        var service = new Service
        {
            Name = new ObjectName("default", name),
            ClusterIPs = [Address.Parse(vip)],
            Ports = [new ServicePort("", Protocol.Tcp, port)],
        };
        return with is null ? service : with(service);
    }

    public static EndpointSlice Slice(string service, params string[] addresses) => new()
    {
        Name = new ObjectName("default", service + "-1"),
        Service = new ObjectName("default", service),
        Family = addresses.Length > 0 ? Address.Parse(addresses[0]).Family : AddressFamily.IPv4,
        Ports = [new EndpointPort("", Protocol.Tcp, 8080)],
        Endpoints = addresses.Select(address => new Endpoint { Address = Address.Parse(address) }).ToEquatableArray(),
    };

    public ApplyReport Apply(params object[] objects) => Apply(retry: true, objects);

    public ApplyReport Apply(bool retry, params object[] objects)
    {
        _writer.Apply(new ClusterChange
        {
            UpsertedServices = [.. objects.OfType<Service>()],
            UpsertedSlices = [.. objects.OfType<EndpointSlice>()],
        });
        return Reconcile(retry);
    }

    public ApplyReport Remove(params string[] services)
    {
        _writer.Apply(new ClusterChange
        {
            RemovedServices = [.. services.Select(name => new ObjectName("default", name))],
            RemovedSlices = [.. services.Select(name => new ObjectName("default", name + "-1"))],
        });
        return Reconcile();
    }

    public ApplyReport Complete()
    {
        _writer.SetListed("test", true);
        return Reconcile();
    }

    public ApplyReport Reconcile(bool retry = true)
    {
        var delta = _writer.Take();
        return Sync.Apply(_desired.Update(delta.State, delta.Dirty), delta.IsComplete, retry);
    }

    /// <summary>As often as it takes when writes fail; a bound makes a livelock a failure.</summary>
    public void ReconcileUntilClean()
    {
        for (int round = 0; round < 200; round++)
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            if (Reconcile().IsClean)
                return;
        }

        Assert.Fail("Not clean after 200 rounds: " + string.Join("; ", Sync.Failures.Select(failure => failure.Message)));
    }

    /// <summary>A new agent over the same maps and the same objects, which it has all to be told again.</summary>
    public ApplyReport Restart()
    {
        _desired = new DesiredState(new DesiredStateOptions { NodeName = "node1" });
        Sync = DatapathSync.Restore(Maps, new DatapathSyncOptions(), Time);
        var state = _writer.Take().State;
        return Sync.Apply(_desired.Update(state, state.Services.Select(service => service.Name)), complete: true);
    }
}
