// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Inspection;
using EbpfLb.FakeApi.Builders;
using EbpfLb.FakeApi.Store;
using static EbpfLb.FakeApi.Builders.Objects;

namespace EbpfLb.Live.Tests.Support;

/// <summary>A service of the API server, with addresses and a NodePort that no other one has. It has one port, TCP.</summary>
internal sealed record ApiService(ApiNode Node, int Number)
{
    public const int Port = 80;

    private const string Namespace = "live";

    public string Name => $"a{Number}";

    /// <summary>As problems name it.</summary>
    public string FullName => $"{Namespace}/{Name}";

    public string SliceName => $"{Name}-1";

    public string Address => $"10.96.{20 + (Number / 250)}.{(Number % 250) + 1}";

    public int NodePort => 30000 + Number;

    public Target ClusterIP => new("ClusterIP", Address, Port, Port);

    public Target AtNodePort => new("NodePort", OuterNode.FirstV4, NodePort, NodePort);

    public Target AtExternalIP => new("external IP", $"203.0.113.{Number % 250 + 1}", Port, Port);

    /// <summary>Of its ClusterIP alone.</summary>
    public ServiceBuilder Object => Service(Namespace, Name).ClusterIP(Address).Port(Port);

    public ServiceBuilder ObjectWithNodePort =>
        Service(Namespace, Name).ClusterIP(Address).OfType("NodePort").Port(Port, nodePort: NodePort);

    /// <summary>Without endpoints.</summary>
    public SliceBuilder EmptySlice => Slice(Namespace, SliceName, Name).Port(LiveService.TargetPort);

    public SliceBuilder SliceOf(params IEnumerable<Client> ready) => SliceOf(ready.Select(pod => pod.Ready));

    public SliceBuilder SliceOf(IEnumerable<Endpoint> endpoints) => endpoints.Aggregate(EmptySlice, (slice, endpoint) =>
        slice.Endpoint(endpoint.Pod.V4, endpoint.Ready, endpoint.Serving, endpoint.Terminating, endpoint.Pod.Node));

    public void Put(params IEnumerable<Client> ready)
    {
        Node.Store.Put(Object);
        Node.Store.Put(SliceOf(ready));
    }

    public void PutWithNodePort(params IEnumerable<Client> ready)
    {
        Node.Store.Put(ObjectWithNodePort);
        Node.Store.Put(SliceOf(ready));
    }

    public void Delete()
    {
        DeleteObject();
        DeleteSlice();
    }

    public void DeleteObject() => Node.Store.Delete(ResourceType.Services, Namespace, Name);

    public void DeleteSlice() => Node.Store.Delete(ResourceType.EndpointSlices, Namespace, SliceName);

    public bool Owns(string name) => name == FullName || name.StartsWith(FullName + ":", StringComparison.Ordinal);

    public bool IsServed(DatapathSnapshot maps) => maps.Services.Any(service => Owns(service.Name) && service.Frontends.Count > 0);

    /// <summary>Address and port of each frontend, in the maps' order.</summary>
    public IEnumerable<string> Frontends(DatapathSnapshot maps) =>
        maps.Frontends.Where(frontend => Owns(frontend.ServiceName)).Select(frontend => frontend.Address.ToString());

    /// <summary>Addresses of those that new connections get, in the maps' order.</summary>
    public IEnumerable<string> Backends(DatapathSnapshot maps) =>
        maps.Services.Where(service => Owns(service.Name)).SelectMany(service => service.Cluster)
            .Select(backend => backend.Address.ToString());

    /// <summary>Until exactly these are the backends of the service, and it has frontends.</summary>
    public Task ServedByAsync(params IEnumerable<Client> pods)
    {
        string[] addresses = [.. pods.Select(pod => pod.V4).Order(StringComparer.Ordinal)];
        return Node.MapsAsync(
            maps => IsServed(maps) && Backends(maps).Order(StringComparer.Ordinal).SequenceEqual(addresses),
            $"{Name} is served by {string.Join(", ", addresses)}");
    }

    public Task GoneAsync() => Node.MapsAsync(
        maps => !maps.Services.Any(service => Owns(service.Name)) && !maps.Backends.Any(backend => Owns(backend.ServiceName)),
        $"{Name} is gone");
}
