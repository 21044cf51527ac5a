// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.Selection;
using FsCheck;
using FsCheck.Fluent;

namespace EbpfLb.LoadBalancing.Tests.Selection;

public sealed class EndpointSelectorProperties
{
    private readonly EndpointSelector _selector = new(Objects.ThisNode);

    [Fact]
    public void The_selection_is_that_of_the_reference_for_any_slices_policies_and_zone()
    {
        Prop.ForAll(RandomCluster.Seeds, Gen.Choose(0, int.MaxValue - 1).ToArbitrary(), (seeds, facts) =>
        {
            EndpointSlice[] slices = [.. seeds.Select(static seed => RandomCluster.Slice(new Random(seed)))];
            var random = new Random(facts);
            var scope = new TrafficScope((TrafficPolicy)random.Next(2), (TrafficPolicy)random.Next(2), random.Next(2) == 0);
            string? zone = random.Next(3) switch { 0 => "zone-a", 1 => "zone-b", _ => null };
            foreach (string port in new[] { "", "http" })
            {
                foreach (var family in new[] { AddressFamily.IPv4, AddressFamily.IPv6 })
                {
                    var (backends, hasEndpoints) = KubeProxyReference.Select(slices, port, Protocol.Tcp, family, scope, zone);
                    var selection = _selector.Select(slices, port, Protocol.Tcp, family, scope, zone);
                    Assert.Equal(backends.OrderBy(static one => one.Address).ThenBy(static one => one.Port), selection.Backends);
                    Assert.Equal(hasEndpoints, selection.HasEndpoints);
                }
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000).WithEndSize(12));
    }

    [Fact]
    public void The_order_of_the_slices_does_not_matter_to_what_is_used()
    {
        Prop.ForAll(RandomCluster.Seeds, static seeds =>
        {
            var selector = new EndpointSelector(Objects.ThisNode);
            EndpointSlice[] slices = [.. seeds.Select(static seed => RandomCluster.Slice(new Random(seed)) with
            {
                // Copies that differ in hints alone are told apart by the order of their slices, which is fixed by name.
                Endpoints = [.. RandomCluster.Slice(new Random(seed)).Endpoints.Select(static endpoint =>
                    endpoint with { ZoneHints = default, NodeHints = default })],
            })];
            var scope = new TrafficScope(TrafficPolicy.Cluster, TrafficPolicy.Local, ExternallyReachable: true);
            var forward = selector.Select(slices, "http", Protocol.Tcp, AddressFamily.IPv4, scope, null);
            Array.Reverse(slices);
            return forward == selector.Select(slices, "http", Protocol.Tcp, AddressFamily.IPv4, scope, null);
        }).Check(Config.QuickThrowOnFailure.WithEndSize(12));
    }
}
