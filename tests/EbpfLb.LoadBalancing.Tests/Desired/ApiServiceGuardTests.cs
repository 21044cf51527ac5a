// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;
using static EbpfLb.LoadBalancing.Tests.Objects;

namespace EbpfLb.LoadBalancing.Tests.Desired;

public sealed class ApiServiceGuardTests
{
    private const string Api = "default/kubernetes";
    private static readonly Service ApiService = Service(Api, "10.96.0.1");
    private static readonly EndpointSlice Slice = Slice(Api, Api, Ready("192.0.2.1"), Ready("192.0.2.2"));
    private static readonly EquatableArray<Backend> Both = [Backend("192.0.2.1"), Backend("192.0.2.2")];
    private readonly ClusterStateWriter _writer = OpenWriter();
    private readonly DesiredState _desired = new(new DesiredStateOptions { NodeName = ThisNode });

    public static TheoryData<string, ClusterChange> WaysToBecomeEmpty() => new()
    {
        { "no endpoint", Change(Slice with { Endpoints = default }) },
        { "no endpoint that is ready", Change(Slice(Api, Api, Unready("192.0.2.1"), Unready("192.0.2.2"))) },
        { "no port", Change(Slice with { Ports = default }) },
        { "no slice", new ClusterChange { RemovedSlices = [Name(Api)] } },
        { "a slice of another service", Change(Slice with { Service = Name("default/other") }) },
        { "no service", new ClusterChange { RemovedServices = [Name(Api)] } },
        { "nothing", new ClusterChange { RemovedServices = [Name(Api)], RemovedSlices = [Name(Api)] } },
    };

    [Theory]
    [MemberData(nameof(WaysToBecomeEmpty))]
    public void The_service_of_the_API_server_keeps_its_last_backends_when_it_has(string what, ClusterChange change)
    {
        Update(Change(ApiService, Slice));
        Assert.Empty(_desired.Kept);
        var before = _desired.Services[Name(Api)];

        var changes = Update(change);

        bool gone = what is "no service" or "nothing";
        Assert.Equal([new KeptBackends(Key(Api), Both, gone)], _desired.Kept);
        Assert.Equal(_desired.Kept, changes.Kept);
        Assert.False(changes.IsEmpty);
        Assert.Equal(before, _desired.Services[Name(Api)]);
        Assert.Empty(changes.Upserted);
        Assert.Empty(changes.Removed);
    }

    [Theory]
    [MemberData(nameof(WaysToBecomeEmpty))]
    public void Any_other_service_does_not(string what, ClusterChange change)
    {
        static EndpointSlice OfOther(EndpointSlice slice) =>
            slice with { Name = Name("other/kubernetes"), Service = slice.Service with { Namespace = "other" } };
        Update(Change(ApiService with { Name = Name("other/kubernetes") }, OfOther(Slice)));
        Update(change with
        {
            UpsertedSlices = [.. change.UpsertedSlices.Select(OfOther)],
            RemovedServices = [.. change.RemovedServices.Select(static name => name with { Namespace = "other" })],
            RemovedSlices = [.. change.RemovedSlices.Select(static name => name with { Namespace = "other" })],
        });

        Assert.True(!_desired.Services.TryGetValue(Name("other/kubernetes"), out var service) || HasNone(service.Ports[0]), what);
        Assert.Empty(_desired.Kept);
    }

    [Theory]
    [MemberData(nameof(WaysToBecomeEmpty))]
    public void It_yields_as_soon_as_there_is_an_endpoint_again(string what, ClusterChange change)
    {
        Update(Change(ApiService, Slice));
        Update(change);
        var changes = Update(Change(ApiService, Slice(Api, Api, Ready("192.0.2.3"))));

        Assert.Equal([Backend("192.0.2.3")], _desired.Services[Name(Api)].Ports[0].Backends);
        Assert.Empty(_desired.Kept);
        Assert.True(changes.Kept is [], what);
    }

    [Fact]
    public void Endpoints_that_come_while_the_Service_is_gone_are_used()
    {
        Update(Change(ApiService, Slice));
        Update(new ClusterChange { RemovedServices = [Name(Api)] });
        Update(Change(Slice(Api, Api, Ready("192.0.2.3"))));

        Assert.Equal([Backend("192.0.2.3")], _desired.Services[Name(Api)].Ports[0].Backends);
        Assert.Equal([new KeptBackends(Key(Api), [Backend("192.0.2.3")], ServiceIsGone: true)], _desired.Kept);
    }

    [Fact]
    public void A_Service_that_is_gone_keeps_its_frontends_until_it_is_back_with_others()
    {
        Update(Change(ApiService, Slice));
        Update(new ClusterChange { RemovedServices = [Name(Api)], RemovedSlices = [Name(Api)] });
        Update(Change(Service("default/thief", "10.96.0.1") with { CreatedAt = Time(5) }));
        Assert.Equal([Frontend("10.96.0.1")], _desired.Services[Name(Api)].Ports[0].Frontends.Select(static one => one.Key));

        Update(Change(ApiService with { ClusterIPs = Addresses("10.96.0.2"), Uid = "new" }));
        Assert.Equal([Frontend("10.96.0.2")], _desired.Services[Name(Api)].Ports[0].Frontends.Select(static one => one.Key));
        Assert.Equal(Both, _desired.Services[Name(Api)].Ports[0].Backends);
        Assert.Equal([Frontend("10.96.0.1")], _desired.Services[Name("default/thief")].Ports[0].Frontends.Select(static one => one.Key));
    }

    [Fact]
    public void Each_family_keeps_its_own()
    {
        var six = Slice("default/kubernetes-6", Api, Ready("2001:db8::1"));
        Update(Change(ApiService with { ClusterIPs = Addresses("10.96.0.1", "fd00::1") }, Slice, six));
        Update(new ClusterChange { RemovedSlices = [Name(Api)] });

        Assert.Equal([new KeptBackends(Key(Api), Both, ServiceIsGone: false)], _desired.Kept);
        Assert.Equal([Backend("2001:db8::1")], _desired.Services[Name(Api)].Ports[1].Backends);
    }

    [Fact]
    public void Where_nothing_was_known_there_is_nothing_to_keep()
    {
        Update(Change(ApiService));
        Assert.Empty(_desired.Kept);
        Assert.False(_desired.Services[Name(Api)].Ports[0].HasEndpoints);

        Update(new ClusterChange { RemovedServices = [Name(Api)] });
        Assert.Empty(_desired.Services);
    }

    [Fact]
    public void What_an_earlier_run_left_is_kept_when_the_first_list_has_no_endpoint()
    {
        _desired.Recall(Key(Api), Both);
        _desired.Recall(Key("default/other"), Both);
        Update(Change(ApiService, Service("default/other", "10.96.0.2")));

        Assert.Equal([new KeptBackends(Key(Api), Both, ServiceIsGone: false)], _desired.Kept);
        Assert.Equal(Both, _desired.Services[Name(Api)].Ports[0].Backends);
        Assert.True(_desired.Services[Name("default/other")].Ports[0].Backends.IsEmpty);
    }

    [Fact]
    public void What_an_earlier_run_left_yields_to_the_first_list_and_to_a_Service_that_is_not_in_it()
    {
        _desired.Recall(Key(Api), Both);
        Update(Change(ApiService, Slice(Api, Api, Ready("192.0.2.3"))));
        Assert.Equal([Backend("192.0.2.3")], _desired.Services[Name(Api)].Ports[0].Backends);
        Assert.Empty(_desired.Kept);

        var other = new DesiredState(new DesiredStateOptions { NodeName = ThisNode });
        other.Recall(Key(Api), Both);
        other.Update(ClusterState.Empty, [Name(Api)]);
        Assert.Empty(other.Services);
        Assert.Empty(other.Kept);
    }

    [Fact]
    public void Endpoints_elsewhere_alone_are_no_reason_to_keep_any()
    {
        var local = ApiService with { InternalTrafficPolicy = TrafficPolicy.Local };
        Update(Change(local, Slice(Api, Api, Ready("192.0.2.1", ThisNode))));
        Update(Change(Slice(Api, Api, Ready("192.0.2.2", OtherNode))));

        Assert.True(HasNone(_desired.Services[Name(Api)].Ports[0]));
        Assert.Empty(_desired.Kept);
    }

    private static bool HasNone(DesiredPort port) =>
        port.Backends.All(static backend => (backend.Flags & (BackendFlags.InCluster | BackendFlags.InLocal)) == 0);

    private DesiredChanges Update(ClusterChange change)
    {
        _writer.Apply(change);
        var delta = _writer.Take();
        return _desired.Update(delta.State, delta.Dirty);
    }
}
