// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;
using FsCheck;
using FsCheck.Fluent;

namespace EbpfLb.LoadBalancing.Tests.Desired;

/// <summary>Each number of a sequence is a change; see <see cref="RandomCluster"/>.</summary>
public sealed class DesiredStateProperties
{
    private static readonly DesiredStateOptions Options = new() { NodeName = Objects.ThisNode };
    private static readonly Config Configuration = Config.QuickThrowOnFailure.WithMaxTest(400).WithEndSize(60);

    [Fact]
    public void Updated_step_by_step_it_is_what_it_would_be_from_scratch() => ForAnyChanges(static seeds =>
    {
        var (writer, desired) = (Objects.OpenWriter(), new DesiredState(Options));
        var state = ClusterState.Empty;
        foreach (int seed in seeds)
        {
            writer.Apply(RandomCluster.Change(seed));

            // Now and then several changes meet in one update.
            if (seed % 3 != 0)
                state = Update(writer, desired);
        }

        state = Update(writer, desired);
        AssertSame(Objects.FromScratch(state), desired);
    });

    [Fact]
    public void The_service_CIDRs_that_were_told_last_are_those_there_are_without_those_of_this_node() => ForAnyChanges(static seeds =>
    {
        var (writer, desired) = (Objects.OpenWriter(), new DesiredState(Options));
        EquatableArray<AddressPrefix> told = default;
        foreach (int seed in seeds)
        {
            writer.Apply(RandomCluster.Change(seed));
            var delta = writer.Take();
            told = desired.Update(delta.State, delta.Dirty).ServiceCidrs ?? told;
            Assert.Equal(
                delta.State.ServiceCidrs.Where(cidr => delta.State.Node is not { Name: Objects.ThisNode } node || !node.Addresses.Any(cidr.Contains)),
                told);
            Assert.Equal(delta.State.ServiceCidrs, told.Concat(desired.ServiceCidrConflicts.Select(conflict => conflict.Cidr)).Order());
            Assert.Equal(told.Distinct().Order(), told);
        }
    });

    [Fact]
    public void The_changes_add_up_to_the_whole() => ForAnyChanges(static seeds =>
    {
        var (writer, desired) = (Objects.OpenWriter(), new DesiredState(Options));
        var services = new Dictionary<ObjectName, DesiredService>();
        var conflicts = new HashSet<FrontendConflict>();
        foreach (int seed in seeds)
        {
            writer.Apply(RandomCluster.Change(seed));
            var delta = writer.Take();
            var changes = desired.Update(delta.State, delta.Dirty);
            foreach (var name in changes.Removed)
                Assert.True(services.Remove(name));
            foreach (var service in changes.Upserted)
            {
                Assert.NotEqual(services.GetValueOrDefault(service.Name), service);
                services[service.Name] = service;
            }

            Assert.All(changes.ResolvedConflicts, conflict => Assert.True(conflicts.Remove(conflict)));
            Assert.All(changes.NewConflicts, conflict => Assert.True(conflicts.Add(conflict)));
            Assert.Equal(desired.Services.Values.OrderBy(ByName), services.Values.OrderBy(ByName));
            Assert.True(conflicts.SetEquals(desired.Conflicts));
        }
    });

    [Fact]
    public void The_order_in_which_objects_arrive_does_not_matter() => ForAnyChanges(static seeds =>
    {
        var first = Objects.OpenWriter();
        foreach (int seed in seeds)
            first.Apply(RandomCluster.Change(seed));
        var final = first.Take().State;
        ClusterChange[] arrivals =
        [
            .. final.Services.Select(static service => Objects.Change(service)),
            .. final.ServiceNames.SelectMany(name => final.SlicesOf(name).ToArray()).Select(static slice => Objects.Change(slice)),
            new ClusterChange { Node = new NodeChange(final.Node) },
            new ClusterChange { UpsertedServiceCidrs = [new ServiceCidr("all", final.ServiceCidrs)] },
        ];

        var expected = Objects.FromScratch(final);
        var random = new Random(seeds.Length);
        for (int round = 0; round < 3; round++)
        {
            random.Shuffle(arrivals);
            var (writer, desired) = (Objects.OpenWriter(), new DesiredState(Options));
            foreach (var arrival in arrivals)
            {
                writer.Apply(arrival);
                Update(writer, desired);
            }

            AssertSame(expected, desired);
        }
    });

    [Fact]
    public void What_is_desired_makes_sense() => ForAnyChanges(static seeds =>
    {
        var (writer, desired) = (Objects.OpenWriter(), new DesiredState(Options));
        foreach (int seed in seeds)
        {
            writer.Apply(RandomCluster.Change(seed));
            var state = Update(writer, desired);
            Assert.True(desired.Services.Keys.ToHashSet().SetEquals(state.ServiceNames));

            var ports = desired.Services.Values.SelectMany(static service => service.Ports).ToList();
            var frontends = ports.SelectMany(static port => port.Frontends).Select(static frontend => frontend.Key).ToList();
            Assert.Equal(frontends.Count, frontends.Distinct().Count());
            Assert.Equal(ports.Count, ports.Select(static port => port.Key).Distinct().Count());

            // Nothing that a service asks for is lost: it is refused, or somebody has it and who has not is told so.
            var refused = desired.Refusals.Select(static one => (one.Key, one.Frontend, one.Kind)).ToHashSet();
            var asked = state.Services.SelectMany(static service =>
                from port in service.Ports
                from clusterIP in service.ClusterIPs
                from dialled in (IEnumerable<(Address Address, ushort Port, FrontendKind Kind)>)
                [
                    (clusterIP, port.Port, FrontendKind.ClusterIP),
                    .. port.NodePort == 0 ? []
                        : new[] { (Address.Parse(clusterIP.IsIPv4 ? "0.0.0.0" : "::"), port.NodePort, FrontendKind.NodePort) },
                    .. service.LoadBalancerIPs.Where(address => address.Family == clusterIP.Family)
                        .Select(address => (address, port.Port, FrontendKind.LoadBalancer)),
                    .. service.ExternalIPs.Where(address => address.Family == clusterIP.Family)
                        .Select(address => (address, port.Port, FrontendKind.ExternalIP)),
                ]
                select (Key: new ServicePortKey(service.Name, port.Name, port.Protocol, clusterIP.Family),
                    Frontend: new FrontendAddress(dialled.Address, dialled.Port, port.Protocol), dialled.Kind)).ToHashSet();
            Assert.Subset(asked, refused);
            var claimed = asked.Except(refused).Select(static one => (one.Key, one.Frontend)).ToHashSet();
            Assert.True(claimed.Select(static one => one.Frontend).ToHashSet().SetEquals(frontends));
            Assert.Equal(claimed.Count - frontends.Count, desired.Conflicts.Count);

            foreach (var port in ports)
            {
                Assert.Equal(port.Backends.OrderBy(static one => one.Address).ThenBy(static one => one.Port), port.Backends);
                Assert.Equal(port.Backends.Count, port.Backends.Select(static one => (one.Address, one.Port)).Distinct().Count());
                Assert.True(port.HasEndpoints || port.Backends.All(backend => !IsListed(backend)));
                Assert.True(port.SourceRanges.IsEmpty ? !port.AdmitsNode && !port.AdmitsPods
                    : port.SourceRanges.All(range => range.Family == port.Key.Family && range.Length > 0));
                Assert.Equal(port.Algorithm == Algorithm.Maglev && port.Backends.Any(IsListed), port.MaglevTableSize > 0);
                foreach (var backend in port.Backends)
                {
                    Assert.True(port.Key.Protocol != Protocol.Sctp || IsListed(backend));
                    Assert.True(!backend.Flags.HasFlag(BackendFlags.InLocal) || backend.Flags.HasFlag(BackendFlags.OnNode));
                    Assert.Equal(port.Key.Family, backend.Address.Family);
                }
            }
        }
    });

    private static void ForAnyChanges(Action<int[]> property) =>
        Prop.ForAll(RandomCluster.Seeds, property).Check(Configuration);

    private static ClusterState Update(ClusterStateWriter writer, DesiredState desired)
    {
        var delta = writer.Take();
        desired.Update(delta.State, delta.Dirty);
        return delta.State;
    }

    private static void AssertSame(DesiredState expected, DesiredState actual)
    {
        Assert.Equal(expected.Services.Values.OrderBy(ByName), actual.Services.Values.OrderBy(ByName));
        Assert.Equal(expected.Conflicts, actual.Conflicts);
        Assert.Equal(expected.Refusals, actual.Refusals);
    }

    private static ObjectName ByName(DesiredService service) => service.Name;

    private static bool IsListed(Backend backend) => (backend.Flags & (BackendFlags.InCluster | BackendFlags.InLocal)) != 0;
}
