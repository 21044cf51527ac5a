// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using EbpfLb.Kubernetes.Api.Client.Configuration;
using EbpfLb.Kubernetes.Api.Client.Connection;
using EbpfLb.Kubernetes.Tests.Api.Client.Support;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace EbpfLb.Kubernetes.Tests.Api.Client;

/// <summary>Real TLS against a real server: whom the client trusts, as whom it comes, and what it says when it does not work.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly ClientFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public async Task Server_of_the_right_authority_is_spoken_to_in_HTTP2()
    {
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port), "token: abc");

        Assert.Equal(HttpStatusCode.OK, await ClientFixture.GetAsync(transport, "/api/v1/services?limit=500&labelSelector=%21a"));
        Assert.Equal(new SeenRequest("HTTP/2", "/api/v1/services?limit=500&labelSelector=%21a", $"127.0.0.1:{server.Port}", "Bearer abc",
            null, null), server.Last);
        Assert.Equal(new Uri($"https://127.0.0.1:{server.Port}"), transport.Server);
    }

    [Fact]
    public async Task Server_is_told_which_program_asks()
    {
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        string agent = "";
        server.Answer = context =>
        {
            agent = context.Request.Headers.UserAgent.ToString();
            return Task.CompletedTask;
        };
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port));

        await ClientFixture.GetAsync(transport);
        Assert.Matches(@"^ebpflb/\d+\.\d+\.\d+$", agent);
    }

    [Fact]
    public async Task Certificate_for_an_IPv6_address_is_found_by_tls_server_name()
    {
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("2001:db8::1"));
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port) + ", tls-server-name: '2001:db8::1'");

        Assert.Equal(HttpStatusCode.OK, await ClientFixture.GetAsync(transport));
    }

    [Fact]
    public async Task Server_without_HTTP2_is_spoken_to_in_HTTP1()
    {
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"), HttpProtocols.Http1);
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port), "token: abc");

        await ClientFixture.GetAsync(transport);
        Assert.Equal(("HTTP/1.1", "Bearer abc"), (server.Last.Protocol, server.Last.Authorization));
    }

    [Fact]
    public async Task S196_Server_without_TLS_gets_no_credentials_and_one_warning()
    {
        await using var server = await TlsServer.StartAsync(null, HttpProtocols.Http1);
        using var transport = _fixture.OpenConfig($"server: 'http://127.0.0.1:{server.Port}/prefix/'", "token: abc");

        await ClientFixture.GetAsync(transport);
        Assert.Equal(("HTTP/1.1", "/prefix/api/v1/services", null), (server.Last.Protocol, server.Last.Path, server.Last.Authorization));
        Assert.Equal($"The connection to http://127.0.0.1:{server.Port}/prefix is not encrypted, so no credentials are sent. Use "
            + "https where others are on the network", Assert.Single(_fixture.Logger.Warnings));
    }

    [Fact]
    public async Task Body_is_read_as_it_comes()
    {
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        var more = new TaskCompletionSource();
        server.Answer = async context =>
        {
            await context.Response.Body.WriteAsync("one"u8.ToArray());
            await context.Response.Body.FlushAsync();
            await more.Task;
            await context.Response.Body.WriteAsync("two"u8.ToArray());
        };
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        using var response = await transport.SendAsync(request, default);
        await using var body = await response.Content.ReadAsStreamAsync();

        byte[] buffer = new byte[10];
        Assert.Equal(3, await body.ReadAsync(buffer));
        more.SetResult();
        Assert.Equal(3, await body.ReadAsync(buffer));
    }

    [Fact]
    public async Task S163_Server_of_another_authority_is_refused()
    {
        using var other = new TestAuthority("other-ca");
        await using var server = await TlsServer.StartAsync(other.IssueServer("127.0.0.1"));
        string ca = _fixture.Write("ca.crt", _fixture.Authority.Pem);
        using var transport = _fixture.OpenConfig(
            $"server: 'https://127.0.0.1:{server.Port}', certificate-authority: ca.crt", "token: abc");

        var error = await ClientFixture.FailAsync(transport);
        Assert.Equal($"The API server https://127.0.0.1:{server.Port} cannot be used: its certificate, issued by 'CN=other-ca', comes "
            + $"from no authority that {ca} has. Set certificate-authority to the one of this cluster.", error.Message);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task S163_Server_is_refused_when_only_the_system_could_trust_it()
    {
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        using var transport = _fixture.OpenConfig($"server: 'https://127.0.0.1:{server.Port}'");

        var error = await ClientFixture.FailAsync(transport);
        Assert.Contains("comes from no authority that the system trusts, and no certificate-authority is set.", error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task S163_Server_that_only_claims_the_authority_is_refused()
    {
        using var impostor = new TestAuthority("cluster-ca");
        await using var server = await TlsServer.StartAsync(impostor.IssueServer("127.0.0.1"));
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port));

        Assert.Contains("issued by 'CN=cluster-ca', comes from no authority", (await ClientFixture.FailAsync(transport)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_of_the_cluster_that_plays_the_server_is_refused()
    {
        await using var impostor = new HandshakeServer(_fixture.Authority.IssueForClients("127.0.0.1"));
        using var transport = _fixture.OpenConfig(_fixture.Cluster(impostor.Port));

        Assert.EndsWith("its certificate cannot be used (NotValidForUsage). Issue a new one for servers.",
            (await ClientFixture.FailAsync(transport)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task S163_Server_with_an_expired_certificate_is_refused()
    {
        var certificate = _fixture.Authority.IssueExpiredServer("127.0.0.1");
        await using var server = await TlsServer.StartAsync(certificate);
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port));

        var error = await ClientFixture.FailAsync(transport);
        Assert.StartsWith($"The API server https://127.0.0.1:{server.Port} cannot be used: its certificate is valid from "
            + $"{certificate.NotBefore.ToUniversalTime():u} to {certificate.NotAfter.ToUniversalTime():u}, and the clock here says 2",
            error.Message, StringComparison.Ordinal);
        Assert.EndsWith("Z. Renew it, or set the clock.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task S163_Server_of_another_name_is_refused_with_both_names()
    {
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("kubernetes", "10.96.0.1"));
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port));

        Assert.Equal($"The API server https://127.0.0.1:{server.Port} cannot be used: its certificate is for kubernetes, 10.96.0.1, "
            + "not for '127.0.0.1'. Use one of these names in the server's address, or set tls-server-name.",
            (await ClientFixture.FailAsync(transport)).Message);
    }

    [Fact]
    public async Task Server_name_of_the_kubeconfig_is_the_one_that_counts()
    {
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("kubernetes"));
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port) + ", tls-server-name: kubernetes");

        Assert.Equal(HttpStatusCode.OK, await ClientFixture.GetAsync(transport));
    }

    [Fact]
    public async Task Server_that_is_not_to_be_verified_is_used_with_one_warning()
    {
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueExpiredServer("elsewhere"));
        using var transport = _fixture.OpenConfig(
            $"server: 'https://127.0.0.1:{server.Port}', insecure-skip-tls-verify: true", "token: abc");
        _fixture.Time.Advance(TimeSpan.FromSeconds(30));

        Assert.Equal(HttpStatusCode.OK, await ClientFixture.GetAsync(transport));
        Assert.StartsWith(
            "insecure-skip-tls-verify: whoever answers at", Assert.Single(_fixture.Logger.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_authority_of_a_bundle_is_enough()
    {
        using var other = new TestAuthority("other-ca");
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        using var transport = _fixture.OpenConfig($"server: 'https://127.0.0.1:{server.Port}', "
            + $"certificate-authority-data: {ClientFixture.Base64(other.Pem + "\n" + _fixture.Authority.Pem)}");

        Assert.Equal(HttpStatusCode.OK, await ClientFixture.GetAsync(transport));
    }

    [Fact]
    public async Task Authority_that_another_one_issued_may_be_trusted_by_itself()
    {
        using var intermediate = new TestAuthority("intermediate", _fixture.Authority);
        using var impostor = new TestAuthority("intermediate", _fixture.Authority);
        await using var server = await TlsServer.StartAsync(intermediate.IssueServer("127.0.0.1"));
        string cluster = $"server: 'https://127.0.0.1:{server.Port}', certificate-authority-data: ";
        using var transport = _fixture.OpenConfig(cluster + ClientFixture.Base64(intermediate.Pem));
        using var wrong = _fixture.OpenConfig(cluster + ClientFixture.Base64(impostor.Pem));

        Assert.Equal(HttpStatusCode.OK, await ClientFixture.GetAsync(transport));
        Assert.Contains("comes from no authority", (await ClientFixture.FailAsync(wrong)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("RSA PKCS#1")]
    [InlineData("RSA PKCS#8")]
    [InlineData("EC SEC1")]
    [InlineData("EC SEC1 behind its parameters")]
    [InlineData("EC PKCS#8")]
    public async Task Client_certificate_is_shown(string format)
    {
        var (certificate, key) = _fixture.Authority.IssueClient("agent", format);
        await using var server = await TlsServer.StartAsync(
            _fixture.Authority.IssueServer("127.0.0.1"), clients: ClientCertificateMode.RequireCertificate);
        _fixture.Write("agent.key", key);
        using var inline = _fixture.OpenConfig(_fixture.Cluster(server.Port),
            $"client-certificate-data: {ClientFixture.Base64(certificate)}, client-key-data: {ClientFixture.Base64(key)}");
        // One file may hold both.
        _fixture.Write("agent.pem", certificate + "\n" + key);
        using var files = _fixture.OpenConfig(_fixture.Cluster(server.Port), "client-certificate: agent.pem, client-key: agent.pem");

        await ClientFixture.GetAsync(inline);
        await ClientFixture.GetAsync(files);
        Assert.All(server.Requests, request => Assert.Equal(("HTTP/2", "CN=agent"), (request.Protocol, request.Client)));
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task Handshake_without_the_client_certificate_that_the_server_wants_is_told()
    {
        await using var server = await TlsServer.StartAsync(
            _fixture.Authority.IssueServer("127.0.0.1"), clients: ClientCertificateMode.RequireCertificate);
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port));

        // Whether its alert, the end of the connection or a reset is seen first is a race.
        Assert.Matches(
            $"127.0.0.1:{server.Port} (closed the connection instead of answering|failed|broke) \\(.*it asks for a client certificate",
            (await ClientFixture.FailAsync(transport)).Message);
    }

    [Fact]
    public void Alert_of_the_server_after_the_handshake_is_told_as_part_of_it()
    {
        // What OpenSSL says when a server of TLS 1.3 wants a certificate.
        var error = new HttpRequestException("An error occurred.", new IOException("The decryption operation failed.",
            new CryptographicException("error:0A00045C:SSL routines::tlsv13 alert certificate required")));
        var endpoint = new EndpointSettings { Server = new Uri("https://192.0.2.1:6443/") };
        using var connection = new ApiConnection(endpoint);

        Assert.Equal("The API server https://192.0.2.1:6443 cannot be used: the TLS handshake with 192.0.2.1:6443 failed "
            + "(error:0A00045C:SSL routines::tlsv13 alert certificate required). See that TLS is spoken there, and whether it asks "
            + "for a client certificate.",
            ConnectionErrors.Explain(error, endpoint, connection, DateTimeOffset.UnixEpoch).Message);
    }

    [Fact]
    public void Client_certificate_that_has_expired_is_told_with_what_may_come_of_it()
    {
        var (certificate, key) = _fixture.Authority.IssueClient("agent");
        var endpoint = new EndpointSettings { Server = new Uri("https://192.0.2.1:6443/") }
            .WithIdentity(new NamedContent("", Encoding.UTF8.GetBytes(certificate)), new NamedContent("", Encoding.UTF8.GetBytes(key)));
        using var connection = new ApiConnection(endpoint);
        string Message(DateTimeOffset now) =>
            ConnectionErrors.Explain(new IOException("broken"), endpoint, connection, now).Message;
        var end = new DateTimeOffset(connection.Certificate!.NotAfter);

        Assert.EndsWith($"why. Our client certificate expired at {end:u}: renew it.", Message(end.AddSeconds(1)), StringComparison.Ordinal);
        Assert.EndsWith("(broken). See whether the server's log says why.", Message(end), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_whose_connection_falls_silent_ends()
    {
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        await using var relay = new FreezingRelay(server.Port);
        server.Answer = async context =>
        {
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        };
        // The shortest that .NET takes.
        var times = new ConnectionTimes { PingDelay = TimeSpan.FromSeconds(1), PingTimeout = TimeSpan.FromSeconds(1) };
        using var connection = new ApiConnection(new EndpointSettings
        {
            Server = new Uri($"https://127.0.0.1:{relay.Port}"),
            Authorities = new NamedContent("ca", Encoding.UTF8.GetBytes(_fixture.Authority.Pem)),
        }, times);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://127.0.0.1:{relay.Port}/");
        using var watch = await connection.SendAsync(request, default);
        await using var body = await watch.Content.ReadAsStreamAsync();
        relay.Freeze();

        var error = await Assert.ThrowsAnyAsync<Exception>(() => body.ReadAsync(new byte[1]).AsTask());
        Assert.Contains("ping", error.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Silence_is_noticed_within_a_minute()
    {
        var times = new ConnectionTimes();
        Assert.InRange((times.PingDelay + times.PingTimeout).TotalSeconds, 1, 59);
    }

    [Fact]
    public async Task Port_where_nothing_listens_is_told()
    {
        int port;
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            port = ((IPEndPoint)listener.LocalEndpoint).Port;
        }

        using var transport = _fixture.OpenConfig(_fixture.Cluster(port));
        Assert.Equal($"The API server https://127.0.0.1:{port} cannot be used: nothing accepts connections at 127.0.0.1:{port} (connection "
            + "refused). See that it runs, and that address and port are right.", (await ClientFixture.FailAsync(transport)).Message);
    }

    [Fact]
    public async Task Proxy_where_nothing_listens_is_told_as_the_proxy()
    {
        using var transport = _fixture.OpenConfig("server: 'https://192.0.2.1:6443', proxy-url: 'http://user:s3cret@127.0.0.1:1'");

        Assert.Equal("The API server https://192.0.2.1:6443 cannot be used: its proxy does not work: nothing accepts "
            + "connections at 127.0.0.1:1 (connection refused). See that it runs, and that address and port are right.",
            (await ClientFixture.FailAsync(transport)).Message);
    }

    [Fact]
    public async Task Proxy_of_the_kubeconfig_is_gone_through_with_its_password()
    {
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("api.invalid"));
        await using var proxy = new ConnectProxy(server.Port);
        using var transport = _fixture.OpenConfig(
            _fixture.Cluster(6443, "api.invalid") + $", proxy-url: 'http://me:pass%3Aword@127.0.0.1:{proxy.Port}'", "token: abc");

        Assert.Equal(HttpStatusCode.OK, await ClientFixture.GetAsync(transport));
        Assert.Equal("Bearer abc", server.Last.Authorization);
        Assert.StartsWith("CONNECT api.invalid:6443 HTTP/1.1", proxy.Heads[^1], StringComparison.Ordinal);
        Assert.Contains("Proxy-Authorization: Basic " + ClientFixture.Base64("me:pass:word"), proxy.Heads[^1], StringComparison.Ordinal);
        Assert.DoesNotContain("abc", string.Concat(proxy.Heads), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Name_that_nobody_knows_is_told()
    {
        using var transport = _fixture.OpenConfig(_fixture.Cluster(6443, "api.invalid"));

        Assert.Matches("cannot be used: DNS (has no address of|does not answer for) 'api.invalid'. See that the name",
            (await ClientFixture.FailAsync(transport)).Message);
    }

    [Fact]
    public async Task Server_that_speaks_no_TLS_is_told()
    {
        await using var server = await TlsServer.StartAsync(null, HttpProtocols.Http1);
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port));

        Assert.Contains($"the TLS handshake with 127.0.0.1:{server.Port} failed (", (await ClientFixture.FailAsync(transport)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Handshake_that_never_ends_is_told_as_a_timeout()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var endpoint = new EndpointSettings { Server = new Uri($"https://127.0.0.1:{port}") };
        using var connection = new ApiConnection(endpoint, new ConnectionTimes { Connect = TimeSpan.FromMilliseconds(50) });
        using var request = new HttpRequestMessage(HttpMethod.Get, endpoint.Server);

        var error = await Assert.ThrowsAnyAsync<Exception>(() => connection.SendAsync(request, default));
        Assert.Equal($"The API server https://127.0.0.1:{port} cannot be used: no connection to 127.0.0.1:{port} within 0.05 s. See "
            + "that the address is right, and that no firewall drops the packets.",
            ConnectionErrors.Explain(error, endpoint, connection, DateTimeOffset.UnixEpoch).Message);
    }

    [Fact]
    public async Task Server_that_does_not_begin_to_answer_is_given_up()
    {
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        var asked = new TaskCompletionSource();
        server.Answer = async context =>
        {
            asked.SetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        };
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port));
        var sending = ClientFixture.FailAsync(transport);
        await asked.Task;
        _fixture.Time.Advance(TimeSpan.FromSeconds(60));

        Assert.EndsWith("it took the request and did not begin to answer within 60 s. It, or what forwards to it, may be overloaded.",
            (await sending).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancellation_is_no_error_of_the_server()
    {
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        using var stop = new CancellationTokenSource();
        server.Answer = async context =>
        {
            await stop.CancelAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        };
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => transport.SendAsync(request, stop.Token));
    }

    [Fact]
    public async Task Redirections_are_not_followed()
    {
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        server.Answer = context =>
        {
            context.Response.Redirect("/elsewhere");
            return Task.CompletedTask;
        };
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port), "token: abc");

        Assert.Equal(HttpStatusCode.Redirect, await ClientFixture.GetAsync(transport));
        Assert.Single(server.Requests);
    }
}
