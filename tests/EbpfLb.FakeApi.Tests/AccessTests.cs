// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using EbpfLb.FakeApi.Security;

namespace EbpfLb.FakeApi.Tests;

public sealed class AccessTests : IAsyncLifetime
{
    private FakeApiServer _server = null!;

    public async Task InitializeAsync() => _server = await FakeApiServer.StartAsync(new FakeApiOptions { Tls = true });

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task S164_what_a_token_may_not_do_is_403_until_it_may()
    {
        _server.Access.AddToken("secret", "agent");
        _server.Access.Allow("agent", new Grant(["list", "watch"], ["services"]));
        using var http = Client();
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(http, ApiClient.Services));
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "secret");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(http, ApiClient.Services));
        using var refused = await http.GetAsync(ApiClient.Slices);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Contains(
            "endpointslices.discovery.k8s.io is forbidden: User \\u0022agent\\u0022 cannot list", await refused.Content.ReadAsStringAsync(),
            StringComparison.Ordinal);
        _server.Access.Allow("agent", new Grant(["list"], ["services", "endpointslices.discovery.k8s.io"]));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(http, ApiClient.Slices));
        _server.Access.RemoveToken("secret");
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(http, ApiClient.Services));
    }

    [Fact]
    public async Task S195_accounts_are_made_from_outside_the_process()
    {
        using var http = Client();
        Assert.Equal(HttpStatusCode.OK, await ChangeAsync(
            http, """{"token": "secret", "user": "agent", "grants": [{"verbs": ["list"], "resources": ["services"]}]}"""));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(http, ApiClient.Services));
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "secret");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(http, ApiClient.Services));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(http, "/api/v1/secrets"));
        Assert.Equal(HttpStatusCode.OK, await ChangeAsync(http, """{"token": "secret"}"""));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(http, ApiClient.Services));
        Assert.Equal(HttpStatusCode.BadRequest, await ChangeAsync(http, """{"grants": []}"""));
    }

    [Fact]
    public async Task A_client_certificate_says_who_it_is()
    {
        _server.Access.Allow("agent", Grant.Everything);
        using var certificate = _server.Authority!.IssueClient("agent");
        using var http = Client(certificate);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(http, ApiClient.Services));
        Assert.Equal("agent", _server.Requests.All[^1].User);
        using var stranger = _server.Authority.IssueClient("stranger");
        using var other = Client(stranger);
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(other, ApiClient.Services));
    }

    [Theory]
    [InlineData(true, "127.0.0.1")]
    [InlineData(false, "192.0.2.1")]
    public async Task S163_another_certificate_counts_from_the_next_connection_on(bool expired, string name)
    {
        using var before = Client();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(before, ApiClient.Services));
        _server.Certificate = _server.Authority!.IssueServer([name], expired);
        using var after = Client();
        var exception = await Assert.ThrowsAsync<HttpRequestException>(() => after.GetAsync(ApiClient.Services));
        Assert.IsType<AuthenticationException>(exception.InnerException);
    }

    [Fact]
    public async Task Both_versions_of_HTTP_are_spoken()
    {
        using var http = Client();
        http.DefaultRequestVersion = HttpVersion.Version20;
        http.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(http, ApiClient.Services));
        Assert.Equal("HTTP/2", _server.Requests.All[^1].Protocol);
        await using var plain = await FakeApiServer.StartAsync(new FakeApiOptions { PlainHttp2 = true });
        using var prior = new HttpClient { BaseAddress = plain.Url, DefaultRequestVersion = HttpVersion.Version20 };
        prior.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(prior, ApiClient.Services));
    }

    [Fact]
    public void A_kubeconfig_leads_here_and_is_for_its_owner_alone()
    {
        string directory = Directory.CreateTempSubdirectory("fakeapi-").FullName;
        try
        {
            string path = Path.Combine(directory, "config");
            using var certificate = _server.Authority!.IssueClient("agent");
            (_server.Kubeconfig with { ClientCertificate = certificate }).Write(path);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            string text = File.ReadAllText(path);
            Assert.Contains($"server: https://127.0.0.1:{_server.Endpoint.Port}\n", text, StringComparison.Ordinal);
            Assert.Contains("certificate-authority-data: ", text, StringComparison.Ordinal);
            Assert.Contains("client-key-data: ", text, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task<HttpStatusCode> ChangeAsync(HttpClient http, string json)
    {
        using var response = await http.PostAsync("/fake/access", new StringContent(json));
        return response.StatusCode;
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient http, string path)
    {
        using var response = await http.GetAsync(path);
        return response.StatusCode;
    }

    private HttpClient Client(X509Certificate2? certificate = null)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.Add(X509Certificate2.CreateFromPem(_server.Authority!.Pem));
        if (certificate is not null)
            handler.SslOptions.ClientCertificates = [certificate];
        return new HttpClient(handler) { BaseAddress = _server.Url };
    }
}
