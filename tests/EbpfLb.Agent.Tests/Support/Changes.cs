// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;

namespace EbpfLb.Agent.Tests.Support;

internal static class Changes
{
    /// <summary>A service of one port with a slice of its own.</summary>
    public static ClusterChange Of(string name, string vip, params string[] endpoints) => new()
    {
        UpsertedServices =
        [
            new Service
            {
                Name = new ObjectName("default", name),
                ClusterIPs = [Address.Parse(vip)],
                Ports = [new ServicePort("", Protocol.Tcp, 80)],
            },
        ],
        UpsertedSlices =
        [
            new EndpointSlice
            {
                Name = new ObjectName("default", name + "-1"),
                Service = new ObjectName("default", name),
                Family = AddressFamily.IPv4,
                Ports = [new EndpointPort("", Protocol.Tcp, 8080)],
                Endpoints = endpoints.Select(address => new Endpoint { Address = Address.Parse(address) }).ToEquatableArray(),
            },
        ],
    };
}
