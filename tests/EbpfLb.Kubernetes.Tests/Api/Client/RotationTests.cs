// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using EbpfLb.Kubernetes.Api;
using EbpfLb.Kubernetes.Api.Client.Configuration;
using EbpfLb.Kubernetes.Tests.Api.Client.Support;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace EbpfLb.Kubernetes.Tests.Api.Client;

/// <summary>Files change under a running client; the time in between is the test's.</summary>
public sealed class RotationTests : IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(30);

    private readonly ClientFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public async Task S163_Rotated_token_file_is_used_within_a_minute()
    {
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        _fixture.Write("token", "first\n");
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port), "tokenFile: token");
        await ClientFixture.GetAsync(transport);
        _fixture.Write("token", "second\n");
        await ClientFixture.GetAsync(transport);
        _fixture.Time.Advance(Look);
        await ClientFixture.GetAsync(transport);

        Assert.Equal(["Bearer first", "Bearer first", "Bearer second"], server.Requests.Select(request => request.Authorization));
    }

    [Fact]
    public async Task S163_Rotated_client_certificate_is_used_within_a_minute_and_streams_of_the_old_one_end()
    {
        await using var server = await TlsServer.StartAsync(
            _fixture.Authority.IssueServer("127.0.0.1"), clients: ClientCertificateMode.RequireCertificate);
        WriteIdentity("old");
        using var transport = _fixture.OpenConfig(
            _fixture.Cluster(server.Port), "client-certificate: agent.crt, client-key: agent.key");
        server.Answer = async context =>
        {
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/services?watch=1");
        using var watch = await transport.SendAsync(request, default);
        await using var body = await watch.Content.ReadAsStreamAsync();
        var reading = body.ReadAsync(new byte[1]).AsTask();
        server.Answer = context => context.Response.CompleteAsync();

        WriteIdentity("new");
        _fixture.Time.Advance(Look);
        await ClientFixture.GetAsync(transport);
        Assert.Equal(["CN=old", "CN=new"], server.Requests.Select(seen => seen.Client));
        Assert.False(reading.IsCompleted);

        _fixture.Time.Advance(TimeSpan.FromSeconds(20));
        await Assert.ThrowsAnyAsync<Exception>(() => reading);
        Assert.Equal(1, _fixture.Logger.CountOf(2155));
        await ClientFixture.GetAsync(transport);
    }

    [Fact]
    public async Task S163_Half_rotated_client_certificate_changes_nothing_and_is_told_once()
    {
        await using var server = await TlsServer.StartAsync(
            _fixture.Authority.IssueServer("127.0.0.1"), clients: ClientCertificateMode.RequireCertificate);
        WriteIdentity("old");
        using var transport = _fixture.OpenConfig(
            _fixture.Cluster(server.Port), "client-certificate: agent.crt, client-key: agent.key");
        var (certificate, key) = _fixture.Authority.IssueClient("new");
        _fixture.Write("agent.crt", certificate);
        _fixture.Time.Advance(Look);
        _fixture.Time.Advance(Look);
        await ClientFixture.GetAsync(transport);
        Assert.Equal("CN=old", server.Last.Client);
        Assert.Equal($"{_fixture["agent.key"]}: this is no private key, as PEM text, of the certificate in {_fixture["agent.crt"]}. Store the two "
            + "that were issued together. What was read before stays in use; trying again", Assert.Single(_fixture.Logger.Warnings));

        _fixture.Write("agent.key", key);
        _fixture.Time.Advance(Look);
        await ClientFixture.GetAsync(transport);
        Assert.Equal("CN=new", server.Last.Client);
        Assert.Equal(1, _fixture.Logger.CountOf(2154));
    }

    [Fact]
    public async Task S163_Rotated_authority_is_the_one_that_counts_for_new_connections()
    {
        using var next = new TestAuthority("next-ca");
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        _fixture.Write("ca.crt", _fixture.Authority.Pem);
        using var transport = _fixture.OpenConfig($"server: 'https://127.0.0.1:{server.Port}', certificate-authority: ca.crt");
        await ClientFixture.GetAsync(transport);

        _fixture.Write("ca.crt", next.Pem);
        _fixture.Time.Advance(Look);
        Assert.Contains("comes from no authority", (await ClientFixture.FailAsync(transport)).Message, StringComparison.Ordinal);
        server.Certificate = next.IssueServer("127.0.0.1");
        Assert.Equal(HttpStatusCode.OK, await ClientFixture.GetAsync(transport));
    }

    [Fact]
    public async Task S163_File_that_goes_leaves_in_use_what_it_held()
    {
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        string token = _fixture.Write("token", "first");
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port), "tokenFile: token");
        File.Delete(token);
        _fixture.Time.Advance(Look);
        await ClientFixture.GetAsync(transport);

        Assert.Equal("Bearer first", server.Last.Authorization);
        Assert.Equal($"Kubeconfig {_fixture["config"]}, user 'u', tokenFile: the file {token} cannot be read: No such file or directory. What was "
            + "read before stays in use; trying again", Assert.Single(_fixture.Logger.Warnings));
    }

    [Fact]
    public async Task Kubeconfig_that_changes_is_followed_to_another_server()
    {
        await using var first = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        await using var second = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        using var transport = _fixture.OpenConfig(_fixture.Cluster(first.Port), "token: a");
        await ClientFixture.GetAsync(transport);
        _fixture.WriteConfig(_fixture.Cluster(second.Port), "token: b");
        _fixture.Time.Advance(Look);
        await ClientFixture.GetAsync(transport);

        Assert.Equal(("Bearer a", "Bearer b"), (Assert.Single(first.Requests).Authorization, Assert.Single(second.Requests).Authorization));
        Assert.Equal(second.Port, transport.Server.Port);
    }

    [Fact]
    public async Task After_401_the_next_request_reads_the_token_anew()
    {
        await using var server = await StartRefusingAllBut("Bearer good");
        _fixture.Write("token", "bad");
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port), "tokenFile: token");
        Assert.Equal(HttpStatusCode.Unauthorized, await ClientFixture.GetAsync(transport));
        _fixture.Write("token", "good");

        Assert.Equal(HttpStatusCode.OK, await ClientFixture.GetAsync(transport));
    }

    [Fact]
    public async Task Requests_that_are_refused_one_after_the_other_read_the_token_once_a_second()
    {
        await using var server = await StartRefusingAllBut("Bearer good");
        _fixture.Write("token", "bad");
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port), "tokenFile: token");
        await ClientFixture.GetAsync(transport);
        await ClientFixture.GetAsync(transport);
        _fixture.Write("token", "good");
        Assert.Equal(HttpStatusCode.Unauthorized, await ClientFixture.GetAsync(transport));
        Assert.Equal(1, _fixture.Logger.CountOf(2157));
        _fixture.Time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(HttpStatusCode.OK, await ClientFixture.GetAsync(transport));
    }

    [Fact]
    public async Task Pod_uses_its_service_account_and_reads_it_again()
    {
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        string directory = Path.GetDirectoryName(_fixture.Write("ca.crt", _fixture.Authority.Pem))!;
        _fixture.Write("token", "first");
        var pod = new PodEnvironment("127.0.0.1", server.Port.ToString(), directory);
        using var transport = _fixture.Open(new ApiOptions(), pod);
        await ClientFixture.GetAsync(transport);
        _fixture.Write("token", "second");
        _fixture.Time.Advance(Look);
        await ClientFixture.GetAsync(transport);

        Assert.Equal(["Bearer first", "Bearer second"], server.Requests.Select(request => request.Authorization));
    }

    [Fact]
    public async Task Transport_that_is_disposed_ends_its_streams()
    {
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        server.Answer = async context =>
        {
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        };
        var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        using var watch = await transport.SendAsync(request, default);
        await using var body = await watch.Content.ReadAsStreamAsync();
        var reading = body.ReadAsync(new byte[1]).AsTask();
        transport.Dispose();

        await Assert.ThrowsAnyAsync<Exception>(() => reading);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => ClientFixture.GetAsync(transport));
    }

    private void WriteIdentity(string user)
    {
        var (certificate, key) = _fixture.Authority.IssueClient(user);
        _fixture.Write("agent.crt", certificate);
        _fixture.Write("agent.key", key);
    }

    private async Task<TlsServer> StartRefusingAllBut(string authorization)
    {
        var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        server.Answer = context =>
        {
            context.Response.StatusCode = context.Request.Headers.Authorization == authorization ? 200 : 401;
            return Task.CompletedTask;
        };
        return server;
    }
}
