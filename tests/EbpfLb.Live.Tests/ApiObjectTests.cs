// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using System.Text.Json.Nodes;
using EbpfLb.FakeApi.Builders;
using EbpfLb.FakeApi.Faults;
using EbpfLb.FakeApi.Store;
using EbpfLb.Live.Tests.Support;
using static EbpfLb.FakeApi.Builders.Objects;

namespace EbpfLb.Live.Tests;

/// <summary>Objects in every order, and such as a real server would refuse: what is right of them is served, what is not is told.</summary>
public sealed class ApiObjectTests(ApiNode node) : ApiTest(node), IClassFixture<ApiNode>
{
    [PrivilegedFact]
    public async Task S152_events_that_are_told_twice_late_or_of_nothing_change_nothing()
    {
        ApiService service = Node.NewApiService(), unknown = Node.NewApiService();
        service.Put(Node.P11);
        await service.ServedByAsync(Node.P11);
        var older = Node.Store.Find(ResourceType.EndpointSlices, "live", service.SliceName)!;
        Node.Store.Put(service.SliceOf(Node.P13, Node.P21));
        await service.ServedByAsync(Node.P13, Node.P21);
        var newer = Node.Store.Find(ResourceType.EndpointSlices, "live", service.SliceName)!;

        var watches = Node.Server.Watches;
        watches.Send(EventType.Added, newer);
        watches.Send(EventType.Added, newer);
        watches.Send(EventType.Modified, older);
        // Of an object that had the name before.
        watches.Send(EventType.Deleted, older.With(json => json["metadata"]!["uid"] = "former"));
        watches.Send(EventType.Deleted, unknown.Object.Set("metadata.resourceVersion", "1").Uid("none"));
        watches.SendBookmark(ResourceType.EndpointSlices);
        await Node.SettleAsync();
        await service.ServedByAsync(Node.P13, Node.P21);

        // Modified before it was ever added.
        string version = $"{Node.Store.Advance()}";
        watches.Send(EventType.Modified, unknown.Object.Set("metadata.resourceVersion", version).Uid("late"));
        await Node.MapsAsync(unknown.IsServed, "a service that was first heard of as modified");
        version = $"{Node.Store.Advance()}";
        watches.Send(EventType.Deleted, unknown.Object.Set("metadata.resourceVersion", version).Uid("late"));
        await unknown.GoneAsync();

        SpeakJson();
        await Node.SettleAsync();
        int from = Node.Agent.LineCount;
        watches.SendRaw(ResourceType.Services, "{\"type\":\"BOOKMARK\"}\n"u8.ToArray());
        await Node.SettleAsync();
        Node.Store.Put(service.SliceOf(Node.P11));
        await service.ServedByAsync(Node.P11);
        Assert.DoesNotContain("the agent ends", string.Join('\n', Node.Agent.Log.Split('\n').Skip(from)), StringComparison.Ordinal);
    }

    [PrivilegedFact]
    public async Task S153_the_order_of_services_and_slices_does_not_matter()
    {
        ApiService first = Node.NewApiService(), last = Node.NewApiService(), again = Node.NewApiService(), other = Node.NewApiService();
        Node.Store.Put(first.SliceOf(Node.P11));
        await Node.SettleAsync();
        Node.Store.Put(first.Object);
        Node.Store.Put(last.Object);
        await Node.SettleAsync();
        Node.Store.Put(last.SliceOf(Node.P13));
        again.Put(Node.P21);
        await first.ServedByAsync(Node.P11);
        await last.ServedByAsync(Node.P13);
        await again.ServedByAsync(Node.P21);

        first.DeleteObject();
        await first.GoneAsync();
        first.DeleteSlice();

        // In one go, so that the agent may see them as one.
        again.DeleteObject();
        Node.Store.Put(Service("live", again.Name).ClusterIP(other.Address).Port(ApiService.Port));
        Node.Store.Put(again.SliceOf(Node.P22));
        await again.ServedByAsync(Node.P22);
        await Node.MapsAsync(maps => again.Frontends(maps).Count() == 1, "one cluster IP");
        (await Node.P12.TcpAsync(other.ClusterIP, count: 5)).AssertAnsweredBy("p22");
        Assert.Equal(0, (await Node.P12.TcpAsync(again.ClusterIP, count: 1, "--timeout", "100")).Succeeded);
        await Node.SettleAsync();
        await Node.MapsAsync(maps => maps.Services.Count == 2 && maps.Backends.Count == 2, "two services and a backend of each");
    }

    [PrivilegedFact]
    public async Task S154_an_address_that_is_none_is_left_out_and_told()
    {
        var odd = Node.NewApiService();
        string[] parts = odd.Address.Split('.');
        Node.Store.Put(Service("live", odd.Name).ClusterIP($"{parts[0]}.{parts[1]}.0{parts[2]}.0000{parts[3]}").Port(ApiService.Port));
        Node.Store.Put(odd.SliceOf(Node.P13));
        foreach (string text in new[] { "::ffff:10.0.0.1", "10.0.0.1/32", "", "abc", "300.1.1.1" })
        {
            var service = Node.NewApiService();
            Node.Store.Put(service.Object.ExternalIP(text, service.AtExternalIP.Address));
            Node.Store.Put(service.SliceOf(Node.P11));
            await service.ServedByAsync(Node.P11);
            await Node.ProblemAsync($"Service {service.FullName}", "spec.externalIPs[0]", text);
            (await Node.Outside.TcpAsync(service.AtExternalIP)).AssertAnsweredBy("p11");
            await Node.MapsAsync(maps => service.Frontends(maps).Count() == 2, "the cluster IP and the right external IP");
        }

        await odd.ServedByAsync(Node.P13);
        (await Node.P12.TcpAsync(odd.ClusterIP)).AssertAnsweredBy("p13");
    }

    [PrivilegedFact]
    public async Task S155_a_port_that_is_none_is_left_out_and_told()
    {
        SpeakJson();
        (string Field, JsonNode? Value, string? Told)[] rows =
        [
            ("port", 0, "port"),
            ("port", -1, "port"),
            ("port", 65536, "port"),
            ("port", null, "port"),
            ("port", 2147483648, "port"),
            ("port", "http", "port"),
            ("nodePort", 70000, "nodePort"),
            ("nodePort", -5, "nodePort"),
            ("protocol", "QUIC", "protocol"),
            // Served, since the agent does.
            ("protocol", "SCTP", null),
        ];
        foreach (var (field, value, told) in rows)
        {
            var service = Node.NewApiService();
            var wrong = new JsonObject { ["name"] = "wrong", ["protocol"] = "TCP", ["port"] = 81, [field] = value?.DeepClone() };
            var right = new JsonObject { ["name"] = "right", ["protocol"] = "TCP", ["port"] = ApiService.Port };
            Node.Store.Put(service.Object.OfType("NodePort").Set("spec.ports", new JsonArray(wrong, right)));
            Node.Store.Put(service.SliceOf(Node.P11).Port(LiveService.TargetPort, "right"));
            await service.ServedByAsync(Node.P11);
            (await Node.P12.TcpAsync(service.ClusterIP)).AssertAnsweredBy("p11");
            if (told is not null)
                await Node.ProblemAsync($"Service {service.FullName}", $"spec.ports[0].{told}");
        }

        // A slice's port without a number stands for all ports, which no service port is.
        var all = Node.NewApiService();
        Node.Store.Put(all.Object);
        Node.Store.Put(Slice("live", all.SliceName, all.Name).Port(null, "any").Port(LiveService.TargetPort).Endpoint(Node.P11.V4));
        await all.ServedByAsync(Node.P11);
        await Node.ProblemAsync($"EndpointSlice {all.FullName}-1", "ports[0].port");
    }

    [PrivilegedFact]
    public async Task S156_an_endpoint_that_none_may_be_is_left_out_and_told()
    {
        foreach (string address in new[] { "127.0.0.1", "169.254.169.254", "224.0.0.1", "0.0.0.0", "fd00:10:244:1::11", "p11.example" })
        {
            var service = Node.NewApiService();
            Node.Store.Put(service.Object);
            Node.Store.Put(service.EmptySlice.Endpoint(address).Endpoint(Node.P11.V4));
            await service.ServedByAsync(Node.P11);
            await Node.ProblemAsync($"EndpointSlice {service.FullName}-1", "endpoints[0].addresses[0]");
            (await Node.P12.TcpAsync(service.ClusterIP, count: 10)).AssertAnsweredBy("p11");
        }

        var names = Node.NewApiService();
        names.Put(Node.P11);
        Node.Store.Put(
            Slice("live", $"{names.Name}-names", names.Name).AddressType("FQDN").Port(LiveService.TargetPort).Endpoint("p13.example"));
        await names.ServedByAsync(Node.P11);
        await Node.ProblemAsync($"EndpointSlice {names.FullName}-names", "addressType");
    }

    [PrivilegedFact]
    public async Task S23_the_older_of_two_services_has_an_external_IP_and_an_Event_names_both()
    {
        ApiService older = Node.NewApiService(), younger = Node.NewApiService();
        string shared = older.AtExternalIP.Address;
        await AssertConflictAsync(
            older, older.Object.ExternalIP(shared), younger, younger.Object.ExternalIP(shared), Node.Outside, older.AtExternalIP);
    }

    [PrivilegedFact]
    public async Task S157_the_older_of_two_services_has_a_NodePort()
    {
        ApiService older = Node.NewApiService(), younger = Node.NewApiService();
        var claim = younger.Object.OfType("NodePort").Set("spec.ports", null).Port(ApiService.Port, nodePort: older.NodePort);
        await AssertConflictAsync(older, older.ObjectWithNodePort, younger, claim, Node.Outside, older.AtNodePort);
    }

    [PrivilegedFact]
    public async Task S158_the_older_of_two_services_has_a_cluster_IP()
    {
        ApiService older = Node.NewApiService(), younger = Node.NewApiService();
        await AssertConflictAsync(
            older, older.Object, younger, Service("live", younger.Name).ClusterIP(older.Address).Port(ApiService.Port), Node.P12,
            older.ClusterIP);
    }

    [PrivilegedFact]
    public async Task S159_services_may_be_large()
    {
        // Every address of a range is p11's, so that there are as many endpoints as wanted and all answer.
        const string Range = "10.245.0.0/16";
        await Node.P11.IpAsync($"route add local {Range} dev lo");
        await Node.Host.IpAsync($"route add {Range} via {Node.P11.V4}");
        await using var routes = new Undo(async () =>
        {
            await Node.Host.IpAsync($"route del {Range} via {Node.P11.V4}");
            await Node.P11.IpAsync($"route del local {Range} dev lo");
        });

        var one = Node.NewApiService();
        Node.Store.Put(one.Object);
        Node.Store.Put(AddEndpoints(one.EmptySlice, 0, 1000));
        await ReachedAsync(one, 1000);

        var many = Node.NewApiService();
        Node.Store.Put(many.Object);
        for (int slice = 0; slice < 50; slice++)
            Node.Store.Put(AddEndpoints(Slice("live", $"{many.Name}-{slice}", many.Name).Port(LiveService.TargetPort), 100 * slice, 100));
        await ReachedAsync(many, 5000);
        Node.Store.Put(AddEndpoints(Slice("live", $"{many.Name}-0", many.Name).Port(LiveService.TargetPort), 5000, 1));
        await Node.MapsAsync(maps => many.Backends(maps).Count() == 4901, "4,901 endpoints");

        var ports = Node.NewApiService();
        var service = Service("live", ports.Name).ClusterIP(ports.Address);
        var slicePorts = Slice("live", ports.SliceName, ports.Name).Endpoint(Node.P13.V4);
        for (int i = 0; i < 100; i++)
        {
            service.Port(1000 + i, $"port-{i}");
            slicePorts.Port(LiveService.TargetPort, $"port-{i}");
        }

        Node.Store.Put(service);
        Node.Store.Put(slicePorts);
        await Node.MapsAsync(maps => ports.Frontends(maps).Count() == 100 && ports.Backends(maps).Count() == 100, "100 ports");
        for (int i = 0; i < 100; i += 9)
            (await Node.P12.TcpAsync(ports.ClusterIP with { TcpPort = 1000 + i })).AssertAnsweredBy("p13");

        var external = Node.NewApiService();
        string[] addresses = [.. Enumerable.Range(200, 20).Select(number => $"203.0.113.{number}")];
        Node.Store.Put(external.Object.ExternalIP(addresses));
        Node.Store.Put(external.SliceOf(Node.P13));
        await Node.MapsAsync(maps => external.Frontends(maps).Count() == 21, "20 external IPs");
        foreach (string address in addresses)
            (await Node.Outside.TcpAsync(external.AtExternalIP.At(address))).AssertAnsweredBy("p13");

        async Task ReachedAsync(ApiService large, int count)
        {
            await Node.MapsAsync(maps => large.Backends(maps).Distinct().Count() == count, $"{count} endpoints");
            var report = await Node.P12.TcpAsync(large.ClusterIP, count: 500);
            report.AssertAnsweredBy("p11");
            // Chosen at random: that a hundred of so many are seen is certain.
            Assert.True(report.Destinations.Count > 100, $"{report.Destinations.Count} endpoints answered");
        }

        static SliceBuilder AddEndpoints(SliceBuilder slice, int first, int count) => Enumerable.Range(first, count)
            .Aggregate(slice, (all, number) => all.Endpoint($"10.245.{number / 250}.{(number % 250) + 1}", node: ApiNode.Name));
    }

    [PrivilegedFact]
    public async Task S160_what_is_not_known_is_passed_over()
    {
        SpeakJson();
        Func<ApiService, ObjectBuilder>[] objects =
        [
            service => service.Object.Set("spec.somethingNew", new JsonObject { ["a"] = new JsonArray(1, "b", null) }),
            service => service.Object.Set("spec.trafficDistribution", "Foo"),
            service => service.Object.Set("spec.sessionAffinity", "Foo"),
            service => service.Object.Set("spec.internalTrafficPolicy", "Foo"),
            service => service.Object.OfType("LoadBalancer").Ingress(service.AtExternalIP.Address, mode: "Foo"),
            service => service.Object.Set("status", null),
            service => service.Object.Set("spec.sessionAffinityConfig", null),
            service => service.Object.Set("metadata.labels", null).Set("metadata.annotations", null),
            service => service.Object.Annotation("large", new string('x', 5 * 1024 * 1024)),
        ];
        foreach (var build in objects)
        {
            var service = Node.NewApiService();
            Node.Store.Put(build(service));
            Node.Store.Put(service.SliceOf(Node.P11).Set("somethingNew", true));
            await service.ServedByAsync(Node.P11);
            (await Node.P12.TcpAsync(service.ClusterIP)).AssertAnsweredBy("p11");
            // The mode that is not known is taken for Proxy.
            Assert.Single(service.Frontends(Node.Agent.ReadSnapshot()));
        }

        // The store would not write it.
        const int Depth = 1000;
        var deep = Node.NewApiService();
        Node.Store.Put(deep.SliceOf(Node.P13));
        var told = deep.Object.Uid("deep").Set("metadata.resourceVersion", $"{Node.Store.Advance()}").Set("metadata.managedFields", "deep");
        string nested = string.Concat(Enumerable.Repeat("{\"x\":", Depth)) + "null" + new string('}', Depth);
        string text = told.Build().ToJsonString()
            .Replace("\"managedFields\":\"deep\"", $"\"managedFields\":{nested}", StringComparison.Ordinal);
        Node.Server.Watches.SendRaw(ResourceType.Services, Encoding.UTF8.GetBytes($"{{\"type\":\"ADDED\",\"object\":{text}}}\n"));
        await deep.ServedByAsync(Node.P13);
        Node.Server.Watches.Send(EventType.Deleted, told.Set("metadata.resourceVersion", $"{Node.Store.Advance()}"));
    }

    // The loser comes first, and the winner takes the frontend from it.
    private async Task AssertConflictAsync(
        ApiService older, ServiceBuilder olderObject, ApiService younger, ServiceBuilder youngerObject, Client client, Target target)
    {
        Node.Store.Put(youngerObject.Created("2025-02-02T00:00:00Z"));
        Node.Store.Put(younger.SliceOf(Node.P21, Node.P22));
        await younger.ServedByAsync(Node.P21, Node.P22);
        (await client.TcpAsync(target, count: 5)).AssertNoneFailed();
        Node.Store.Put(olderObject.Created("2025-01-01T00:00:00Z"));
        Node.Store.Put(older.SliceOf(Node.P11));
        await older.ServedByAsync(Node.P11);
        await Node.ProblemAsync(younger.FullName, older.FullName);
        await Node.EventAsync("FrontendConflict", younger.Name);
        await Node.EventAsync("FrontendConflict", older.Name, type: "Normal");
        (await client.TcpAsync(target, count: 10)).AssertAnsweredBy("p11");
        Assert.Equal([Node.P11.V4], older.Backends(Node.Agent.ReadSnapshot()));

        older.Delete();
        await older.GoneAsync();
        await younger.ServedByAsync(Node.P21, Node.P22);
        (await client.TcpAsync(target, count: 30)).AssertAnsweredBy("p21", "p22");
    }

    /// <summary>For what protobuf cannot say.</summary>
    private void SpeakJson()
    {
        Node.Server.Faults.Add(new FaultRule { JsonOnly = true });
        Node.Server.Watches.Finish(ResourceType.Services, WatchEnding.End);
        Node.Server.Watches.Finish(ResourceType.EndpointSlices, WatchEnding.End);
    }
}
