// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.Selection;

namespace EbpfLb.LoadBalancing.Tests.Selection;

public sealed class LocalEndpointsTests
{
    private const string Here = "node1";

    private static readonly Endpoint Ready = new() { Address = Address.Parse("10.244.1.1"), NodeName = Here };

    [Fact]
    public void S30_Ready_endpoints_of_this_node_count_once_whatever_ports_and_slices_they_are_in()
    {
        var other = Ready with { Address = Address.Parse("10.244.1.2") };
        Assert.Equal(2, Count(Slice([Ready, other]), Slice([Ready])));
    }

    [Fact]
    public void S30_Others_do_not_count()
    {
        Assert.Equal(0, Count());
        Assert.Equal(0, Count(Slice([Ready with { NodeName = "node2" }])));
        Assert.Equal(0, Count(Slice([Ready with { NodeName = null }])));
        Assert.Equal(0, Count(Slice([Ready with { Ready = false, Serving = true, Terminating = true }])));
        Assert.Equal(0, Count(Slice([Ready with { Ready = false, Serving = false }])));
    }

    [Fact]
    public void S30_Those_of_the_other_family_and_of_slices_without_ports_do_not_count()
    {
        Assert.Equal(0, Count(Slice([Ready with { Address = Address.Parse("fd00::1") }]) with { Family = AddressFamily.IPv6 }));
        Assert.Equal(0, Count(Slice([Ready]) with { Ports = default }));
    }

    private static int Count(params EndpointSlice[] slices) => LocalEndpoints.CountReady(slices, Here, AddressFamily.IPv4);

    private static EndpointSlice Slice(Endpoint[] endpoints) => new()
    {
        Name = new ObjectName("default", "web-1"),
        Service = new ObjectName("default", "web"),
        Family = AddressFamily.IPv4,
        Ports = [new EndpointPort("http", Protocol.Tcp, 80), new EndpointPort("https", Protocol.Tcp, 443)],
        Endpoints = endpoints.ToEquatableArray(),
    };
}
