// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;

namespace EbpfLb.LoadBalancing.Tests;

/// <summary>Short ways to say the objects of a test. Names are "namespace/name".</summary>
internal static class Objects
{
    public const string ThisNode = "node-1";
    public const string OtherNode = "node-2";
    public static readonly ServicePort Http = new("http", Protocol.Tcp, 80);
    public static readonly EndpointPort HttpTarget = new("http", Protocol.Tcp, 8080);

    public static ObjectName Name(string text) => new(text[..text.IndexOf('/')], text[(text.IndexOf('/') + 1)..]);

    /// <summary>The n-th moment objects are created at.</summary>
    public static DateTimeOffset Time(int n) => DateTimeOffset.UnixEpoch.AddDays(20_000).AddSeconds(n);

    public static EquatableArray<Address> Addresses(params string[] addresses) => addresses.Select(Address.Parse).ToEquatableArray();

    /// <summary>Blanks between them.</summary>
    public static EquatableArray<AddressPrefix> Prefixes(string prefixes) =>
        prefixes.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(AddressPrefix.Parse).ToEquatableArray();

    public static Service Service(string name, string clusterIP, params ServicePort[] ports) => new()
    {
        Name = Name(name),
        CreatedAt = Time(0),
        ClusterIPs = Addresses(clusterIP),
        Ports = (ports.Length == 0 ? [Http] : ports).ToEquatableArray(),
    };

    public static EndpointSlice Slice(string name, string service, params Endpoint[] endpoints) => new()
    {
        Name = Name(name),
        Service = Name(service),
        Family = endpoints is [var first, ..] ? first.Address.Family : AddressFamily.IPv4,
        Ports = [HttpTarget],
        Endpoints = endpoints.ToEquatableArray(),
    };

    public static Endpoint Ready(string address, string? node = null) => new() { Address = Address.Parse(address), NodeName = node };

    public static Endpoint Terminating(string address, string? node = null) =>
        Ready(address, node) with { Ready = false, Terminating = true };

    public static Endpoint Unready(string address, string? node = null) => Ready(address, node) with { Ready = false, Serving = false };

    public static Endpoint ForZones(this Endpoint endpoint, params string[] zones) =>
        endpoint with { ZoneHints = zones.ToEquatableArray() };

    public static Endpoint ForNodes(this Endpoint endpoint, params string[] nodes) =>
        endpoint with { NodeHints = nodes.ToEquatableArray() };

    public static Backend Backend(string address, ushort port = 8080, BackendFlags flags = BackendFlags.InCluster) =>
        new(Address.Parse(address), port, flags);

    public static FrontendAddress Frontend(string address, ushort port = 80, Protocol protocol = Protocol.Tcp) =>
        new(Address.Parse(address), port, protocol);

    public static ServicePortKey Key(
        string service, string port = "http", Protocol protocol = Protocol.Tcp, AddressFamily family = AddressFamily.IPv4) =>
        new(Name(service), port, protocol, family);

    public static ClusterState StateOf(params object[] objects)
    {
        var writer = OpenWriter();
        writer.Apply(Change(objects));
        return writer.Take().State;
    }

    public static ClusterChange Change(params object[] objects) => new()
    {
        UpsertedServices = [.. objects.OfType<Service>()],
        UpsertedSlices = [.. objects.OfType<EndpointSlice>()],
        Node = objects.OfType<Node>().Select(static node => new NodeChange(node)).SingleOrDefault(),
    };

    public static ClusterStateWriter OpenWriter()
    {
        var writer = new ClusterStateWriter();
        writer.RegisterSource("test");
        writer.SetListed("test", complete: true);
        return writer;
    }

    public static DesiredState FromScratch(ClusterState state, DesiredStateOptions? options = null)
    {
        var desired = new DesiredState(options ?? new DesiredStateOptions { NodeName = ThisNode });
        desired.Update(state, state.ServiceNames);
        return desired;
    }
}
