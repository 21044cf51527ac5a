// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Net.Sockets;
using EbpfLb.Agent.Serving;
using EbpfLb.Agent.Tests.Support;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;
using Microsoft.Extensions.Logging.Abstractions;

namespace EbpfLb.Agent.Tests.Serving;

public sealed class HealthCheckPortsTests : IAsyncLifetime, IDisposable
{
    private static readonly ObjectName Web = new("default", "web");

    private readonly ClusterStateWriter _state = new();
    private readonly List<string> _events = [];
    private readonly ushort _port = TestServer.FreePort();
    private IReadOnlyList<Address>? _addresses;
    private bool _isHealthy = true;
    private TestServer _server = null!;
    private HealthCheckPorts _checks = null!;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _checks = new HealthCheckPorts(
            _server.Http, "node1", () => _addresses, () => _isHealthy,
            (service, reason, message) => _events.Add($"{service} {reason} {message}"), NullLogger<HealthCheckPorts>.Instance);
        _state.RegisterSource("test");
        _state.SetListed("test", true);
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    public void Dispose() => _checks.Dispose();

    [Fact]
    public async Task S30_A_ready_endpoint_on_this_node_is_200_with_its_weight()
    {
        Apply(Service(), Slice("web-1", Ready("10.244.1.5", "node1"), Ready("10.244.2.5", "node2")));

        var reply = await GetAsync();
        Assert.Equal(200, reply.Status);
        Assert.Equal("1", reply.Headers["X-Load-Balancing-Endpoint-Weight"]);
        Assert.Equal("application/json", reply.Headers["Content-Type"]);
        Assert.Equal("nosniff", reply.Headers["X-Content-Type-Options"]);
        Assert.Equal(
            "{\n\t\"service\": {\n\t\t\"namespace\": \"default\",\n\t\t\"name\": \"web\"\n\t},\n"
            + "\t\"localEndpoints\": 1,\n\t\"serviceProxyHealthy\": true\n}",
            reply.Body);

        // Every load balancer asks for a path of its own.
        Assert.Equal(200, (await _server.GetAsync(new IPEndPoint(IPAddress.Loopback, _port), "/any/path")).Status);
    }

    [Fact]
    public async Task S30_Without_one_it_is_503_and_weight_0()
    {
        Apply(Service(), Slice("web-1", Ready("10.244.2.5", "node2")));
        var reply = await GetAsync();
        Assert.Equal((503, "0"), (reply.Status, reply.Headers["X-Load-Balancing-Endpoint-Weight"]));
        Assert.Contains("\"localEndpoints\": 0,", reply.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task S30_Counts_follow_the_slices()
    {
        Apply(Service(), Slice("web-1", Ready("10.244.1.5", "node1"), Ready("10.244.1.6", "node1")));
        Assert.Equal("2", (await GetAsync()).Headers["X-Load-Balancing-Endpoint-Weight"]);

        Endpoint terminating = Ready("10.244.1.5", "node1") with { Ready = false, Serving = true, Terminating = true };
        Apply(slices: Slice("web-1", terminating, Ready("10.244.1.6", "node1")));
        Assert.Equal("1", (await GetAsync()).Headers["X-Load-Balancing-Endpoint-Weight"]);

        Apply(slices: Slice("web-1", terminating));
        Assert.Equal(503, (await GetAsync()).Status);
    }

    [Fact]
    public async Task S30_An_unhealthy_agent_is_503_whatever_endpoints_there_are()
    {
        Apply(Service(), Slice("web-1", Ready("10.244.1.5", "node1")));
        _isHealthy = false;
        var reply = await GetAsync();
        Assert.Equal((503, "1"), (reply.Status, reply.Headers["X-Load-Balancing-Endpoint-Weight"]));
        Assert.EndsWith("\t\"serviceProxyHealthy\": false\n}", reply.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task S30_Policy_Cluster_or_deletion_closes_the_port(bool isDeleted)
    {
        Apply(Service());
        Assert.Equal(503, (await GetAsync()).Status);

        if (isDeleted)
            _state.Apply(new ClusterChange { RemovedServices = [Web] });
        else
            Apply(Service() with { HealthCheckNodePort = 0, ExternalTrafficPolicy = TrafficPolicy.Cluster });
        Update();
        await AssertClosedAsync(_port);
    }

    [Fact]
    public async Task S30_A_port_in_use_is_a_problem_and_an_event_and_tried_again_and_others_are_served()
    {
        ushort otherPort = TestServer.FreePort();
        int told = 0;
        _checks.ProblemsChanged = () => told++;
        using (var taken = new Socket(System.Net.Sockets.AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            taken.Bind(new IPEndPoint(IPAddress.Any, _port));
            taken.Listen();
            Apply(Service(), Slice("web-1", Ready("10.244.1.5", "node1")));
            Apply(Service("other", otherPort));
            _checks.Retry();

            var problem = Assert.Single(_checks.Problems);
            Assert.Equal("default/web", problem.Subject);
            Assert.StartsWith(
                $"The healthCheckNodePort {_port} of default/web is not served: listen at 0.0.0.0:{_port}: Address already in use.",
                problem.Message, StringComparison.Ordinal);
            Assert.Equal(
                [$"default/web FailedToStartServiceHealthcheck node node1 failed to start healthcheck \"default/web\" on port {_port}: "
                    + $"listen at 0.0.0.0:{_port}: Address already in use"],
                _events);
            Assert.Equal(1, told);
            Assert.Equal(503, (await GetAsync(otherPort)).Status);
        }

        _checks.Retry();
        Assert.Empty(_checks.Problems);
        Assert.Equal(2, told);
        Assert.Equal(200, (await GetAsync()).Status);
    }

    [Fact]
    public async Task Of_two_services_with_one_port_the_older_one_answers_until_it_goes()
    {
        var old = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        Apply(Service("alpha") with { CreatedAt = old.AddDays(1) });
        Apply(Service("omega") with { CreatedAt = old });
        Assert.Contains("\"omega\"", (await GetAsync()).Body, StringComparison.Ordinal);
        Assert.Contains("default/omega has the port", Assert.Single(_checks.Problems).Message, StringComparison.Ordinal);
        Assert.StartsWith("default/alpha FailedToStartServiceHealthcheck ", Assert.Single(_events), StringComparison.Ordinal);

        _state.Apply(new ClusterChange { RemovedServices = [new ObjectName("default", "omega")] });
        Update();
        Assert.Contains("\"alpha\"", (await GetAsync()).Body, StringComparison.Ordinal);
        Assert.Empty(_checks.Problems);
    }

    [Fact]
    public async Task Each_family_is_asked_at_its_own_addresses_and_counts_its_own_endpoints()
    {
        Apply(
            Service() with { ClusterIPs = [Address.Parse("10.96.0.10"), Address.Parse("fd00::10")] },
            Slice("web-1", Ready("10.244.1.5", "node1")),
            Slice("web-2", Ready("fd00:244::5", "node1"), Ready("fd00:244::6", "node1")));
        Assert.Equal("1", (await GetAsync()).Headers["X-Load-Balancing-Endpoint-Weight"]);
        Assert.Equal("2", (await GetAsync(_port, IPAddress.IPv6Loopback)).Headers["X-Load-Balancing-Endpoint-Weight"]);
    }

    [Fact]
    public async Task Only_addresses_that_answer_NodePorts_are_listened_at_and_they_may_change()
    {
        _addresses = [Address.Parse("127.0.0.2")];
        Apply(Service());
        Assert.Equal(503, (await GetAsync(_port, IPAddress.Parse("127.0.0.2"))).Status);
        await AssertClosedAsync(_port);

        _addresses = [Address.Parse("127.0.0.1")];
        _checks.Retry();
        Assert.Equal(503, (await GetAsync()).Status);
        await AssertClosedAsync(_port, IPAddress.Parse("127.0.0.2"));
    }

    [Fact]
    public async Task Another_port_of_the_same_service_takes_the_place_of_the_first()
    {
        ushort next = TestServer.FreePort();
        Apply(Service());
        Apply(Service() with { HealthCheckNodePort = next });
        Assert.Equal(503, (await GetAsync(next)).Status);
        await AssertClosedAsync(_port);
    }

    private static Endpoint Ready(string address, string node) => new() { Address = Address.Parse(address), NodeName = node };

    private static EndpointSlice Slice(string name, params Endpoint[] endpoints) => new()
    {
        Name = new ObjectName("default", name),
        Service = Web,
        Family = endpoints[0].Address.Family,
        Ports = [new EndpointPort("http", Protocol.Tcp, 8080), new EndpointPort("https", Protocol.Tcp, 8443)],
        Endpoints = endpoints.ToEquatableArray(),
    };

    private Service Service(string name = "web", ushort? port = null) => new()
    {
        Name = new ObjectName("default", name),
        ClusterIPs = [Address.Parse("10.96.0.10")],
        Ports = [new ServicePort("http", Protocol.Tcp, 80, 30080), new ServicePort("https", Protocol.Tcp, 443, 30443)],
        ExternalTrafficPolicy = TrafficPolicy.Local,
        HealthCheckNodePort = port ?? _port,
    };

    private void Apply(Service? service = null, params EndpointSlice[] slices)
    {
        _state.Apply(new ClusterChange { UpsertedServices = service is null ? [] : [service], UpsertedSlices = slices });
        Update();
    }

    private void Update()
    {
        var delta = _state.Take();
        _checks.Update(delta.State, delta.Dirty);
    }

    private Task<Reply> GetAsync(ushort? port = null, IPAddress? address = null) =>
        _server.GetAsync(new IPEndPoint(address ?? IPAddress.Loopback, port ?? _port), "/healthz");

    private async Task AssertClosedAsync(ushort port, IPAddress? address = null)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        var refused = await Assert.ThrowsAsync<SocketException>(
            async () => await socket.ConnectAsync(new IPEndPoint(address ?? IPAddress.Loopback, port), _server.Patience));
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
    }
}
