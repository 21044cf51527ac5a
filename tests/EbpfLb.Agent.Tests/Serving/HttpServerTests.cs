// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Net.Sockets;
using System.Text;
using EbpfLb.Agent.Serving;
using EbpfLb.Agent.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace EbpfLb.Agent.Tests.Serving;

public sealed class HttpServerTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async Task InitializeAsync() => _server = await TestServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData("/")]
    [InlineData("/Hello")]
    [InlineData("/hello/")]
    [InlineData("/debug/pprof/")]
    [InlineData("/../hello2")]
    public async Task S194_An_unknown_path_is_404(string path)
    {
        var at = _server.Open(Hello);
        Assert.Equal(404, (await _server.GetAsync(at, path)).Status);
        Assert.Equal(200, (await _server.GetAsync(at, "/hello?x=y")).Status);
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("OPTIONS")]
    [InlineData("TRACE")]
    public async Task S194_Only_reading_is_allowed(string method)
    {
        var at = _server.Open(Hello);
        var reply = await _server.GetAsync(at, "/hello", new HttpMethod(method));
        Assert.Equal(405, reply.Status);
        Assert.Equal("GET, HEAD", reply.Headers["Allow"]);
    }

    [Fact]
    public async Task A_body_is_not_read_and_ends_the_connection()
    {
        var at = _server.Open(Hello);
        using var body = new StringContent("anything");
        var reply = await _server.GetAsync(at, "/hello", HttpMethod.Post, body);
        Assert.Equal(405, reply.Status);
        Assert.Equal("close", reply.Headers["Connection"]);
    }

    [Fact]
    public async Task HEAD_has_the_headers_of_GET_and_no_body()
    {
        var at = _server.Open(Hello);
        var reply = await _server.GetAsync(at, "/hello", HttpMethod.Head);
        Assert.Equal((200, "5", ""), (reply.Status, reply.Headers["Content-Length"], reply.Body));
    }

    [Fact]
    public async Task S194_Slow_clients_and_a_huge_header_keep_nobody_out()
    {
        var at = _server.Open(Hello);
        var slow = new List<Socket>();
        try
        {
            for (int i = 0; i < 200; i++)
            {
                slow.Add(await ConnectAsync(at));
                await slow[^1].SendAsync("GET /hello HTTP/1.1\r\nHost: a"u8.ToArray(), _server.Patience);
            }

            Assert.Equal(200, (await _server.GetAsync(at, "/hello")).Status);

            using var huge = await ConnectAsync(at);
            string reply = await SendHugeHeaderAsync(huge);
            Assert.True(reply.Length == 0 || reply.StartsWith("HTTP/1.1 431 ", StringComparison.Ordinal), reply);
            Assert.Equal(200, (await _server.GetAsync(at, "/hello")).Status);

            // Those that had to make room were told so by a closed connection.
            Assert.Equal(0, await ReadAllAsync(slow[0]));
        }
        finally
        {
            slow.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    public async Task A_closed_port_closes_its_connections_and_leaves_others_alone()
    {
        var port = _server.Http.Open(new IPEndPoint(IPAddress.Loopback, 0), Hello, bothFamilies: false);
        var other = _server.Open(Hello);
        using var kept = await ConnectAsync(port.EndPoint);
        await kept.SendAsync("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray(), _server.Patience);
        var buffer = new byte[1024];
        Assert.NotEqual(0, await kept.ReceiveAsync(buffer, _server.Patience));

        port.Dispose();
        Assert.Equal(0, await ReadAllAsync(kept));
        await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(port.EndPoint));
        Assert.Equal(200, (await _server.GetAsync(other, "/hello")).Status);

        // The connection lingers in TIME_WAIT on this side, which must not be in the way of a port that is opened again.
        using var again = _server.Http.Open(port.EndPoint, Hello, bothFamilies: false);
        Assert.Equal(200, (await _server.GetAsync(again.EndPoint, "/hello")).Status);
    }

    [Fact]
    public async Task Two_agents_coexist_and_one_takes_over_a_port_the_other_had()
    {
        ushort port = TestServer.FreePort(IPAddress.Loopback);
        var at = new IPEndPoint(IPAddress.Loopback, port);
        using var first = _server.Http.Open(at, Hello, bothFamilies: true);

        await using var other = await TestServer.StartAsync();
        using var health = new HealthCheckPorts(
            other.Http, "node1", () => null, () => true, null, NullLogger<HealthCheckPorts>.Instance);
        var loop = new ServingLoop(
            other.Http,
            [
                new ServedPort("--healthz-bind-address", at, Hello),
                new ServedPort("--metrics-bind-address", new IPEndPoint(IPAddress.Loopback, 0), Hello),
            ],
            mustBind: false, health, new ServingLimits(), TimeProvider.System, NullLogger<ServingLoop>.Instance);
        int told = 0;
        loop.ProblemsChanged = () => told++;
        loop.TryOpen();
        loop.TryOpen();

        var problem = Assert.Single(loop.Problems);
        Assert.Equal("--healthz-bind-address", problem.Subject);
        Assert.StartsWith(
            $"--healthz-bind-address {at} cannot be listened at: Address already in use. It is tried again;", problem.Message,
            StringComparison.Ordinal);
        Assert.Equal(1, told);
        Assert.Equal(200, (await other.GetAsync(loop.EndPointOf("--metrics-bind-address")!, "/hello")).Status);

        first.Dispose();
        loop.TryOpen();
        Assert.Empty(loop.Problems);
        Assert.Equal(2, told);
        Assert.Equal(200, (await other.GetAsync(at, "/hello")).Status);
    }

    [Fact]
    public async Task Told_to_fail_hard_a_port_that_is_taken_ends_the_serving()
    {
        using var taken = _server.Http.Open(new IPEndPoint(IPAddress.Loopback, 0), Hello, bothFamilies: false);
        var http = new HttpServer(new ServingLimits());
        using var health = new HealthCheckPorts(http, "node1", () => null, () => true, null, NullLogger<HealthCheckPorts>.Instance);
        var loop = new ServingLoop(
            http, [new ServedPort("--metrics-bind-address", taken.EndPoint, Hello)], mustBind: true, health, new ServingLimits(),
            TimeProvider.System, NullLogger<ServingLoop>.Instance);

        var exception = await Assert.ThrowsAsync<ServingException>(() => loop.RunAsync(_server.Patience));
        Assert.StartsWith(
            $"--metrics-bind-address {taken.EndPoint} cannot be listened at: Address already in use. --bind-address-hard-fail",
            exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_unspecified_address_of_IPv4_stands_for_both_families_as_it_does_for_kube_proxy()
    {
        using var port = _server.Http.Open(new IPEndPoint(IPAddress.Any, 0), Hello, bothFamilies: true);
        Assert.Equal(200, (await _server.GetAsync(new IPEndPoint(IPAddress.Loopback, port.EndPoint.Port), "/hello")).Status);
        Assert.Equal(200, (await _server.GetAsync(new IPEndPoint(IPAddress.IPv6Loopback, port.EndPoint.Port), "/hello")).Status);
    }

    private static Answer? Hello(string path) => path == "/hello" ? Answer.Text(200, "hello") : null;

    private async Task<Socket> ConnectAsync(IPEndPoint at)
    {
        var socket = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(at, _server.Patience);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<string> SendHugeHeaderAsync(Socket socket)
    {
        try
        {
            await socket.SendAsync("GET /hello HTTP/1.1\r\nHost: a\r\nX: "u8.ToArray(), _server.Patience);
            await socket.SendAsync(Encoding.ASCII.GetBytes(new string('a', 1024 * 1024)), _server.Patience);
            await socket.SendAsync("\r\n\r\n"u8.ToArray(), _server.Patience);
            var buffer = new byte[4096];
            return Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer, _server.Patience));
        }
        catch (SocketException)
        {
            // Closed before all of it was sent.
            return "";
        }
    }

    private async Task<int> ReadAllAsync(Socket socket)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[1024], _server.Patience);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionReset)
        {
            return 0;
        }
    }
}
