// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Text.Json;
using EbpfLb.Kubernetes.Tests.Api.Client.Support;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace EbpfLb.Kubernetes.Tests.Api.Client;

/// <summary>Real programs: scripts that the tests write.</summary>
public sealed class ExecPluginTests : IDisposable
{
    private const string V1 = "client.authentication.k8s.io/v1";

    private readonly ClientFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    private string[] Runs => File.Exists(_fixture["runs"]) ? File.ReadAllLines(_fixture["runs"]) : [];

    [Theory]
    [InlineData(V1)]
    [InlineData("client.authentication.k8s.io/v1beta1")]
    public async Task Plugin_is_run_once_with_arguments_and_variables_as_they_are(string apiVersion)
    {
        WritePlugin($$"""
            printf '%s|%s|%s\n' "$*" "$AGENT_VALUE" "$KUBERNETES_EXEC_INFO" >> {{_fixture["runs"]}}
            """, Token("abc", apiVersion: apiVersion));
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port), $"exec: {Exec("args: ['$(id)', '; x'], "
            + "env: [{name: AGENT_VALUE, value: 'a b'}]", apiVersion)}");
        await ClientFixture.GetAsync(transport);
        await ClientFixture.GetAsync(transport);

        string info = """{"kind":"ExecCredential","apiVersion":"VERSION","spec":{"interactive":false}}""".Replace("VERSION", apiVersion);
        Assert.Equal(["$(id) ; x|a b|" + info], Runs);
        Assert.Equal(["Bearer abc", "Bearer abc"], server.Requests.Select(request => request.Authorization));
    }

    [Fact]
    public async Task Plugin_is_told_the_cluster_when_it_asks_for_it()
    {
        WritePlugin($"printf '%s' \"$KUBERNETES_EXEC_INFO\" > {_fixture["info"]}", Token("abc"));
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port) + ", tls-server-name: 127.0.0.1, extensions: "
            + "[{name: client.authentication.k8s.io/exec, extension: {audience: x, n: 5, list: [true, null, 1.5]}}]",
            $"exec: {Exec("provideClusterInfo: true")}");
        await ClientFixture.GetAsync(transport);

        using var info = JsonDocument.Parse(File.ReadAllText(_fixture["info"]));
        var cluster = info.RootElement.GetProperty("spec").GetProperty("cluster");
        Assert.Equal($"https://127.0.0.1:{server.Port}", cluster.GetProperty("server").GetString());
        Assert.Equal("127.0.0.1", cluster.GetProperty("tls-server-name").GetString());
        Assert.Equal(ClientFixture.Base64(_fixture.Authority.Pem), cluster.GetProperty("certificate-authority-data").GetString());
        Assert.Equal("""{"audience":"x","n":5,"list":[true,null,1.5]}""", cluster.GetProperty("config").GetRawText());
    }

    [Theory]
    [InlineData("\\ud800")]
    [InlineData("\\u0001")]
    public async Task Token_that_is_no_text_is_refused(string token)
    {
        WritePlugin("", Token("TOKEN").Replace("TOKEN", token, StringComparison.Ordinal));
        using var transport = _fixture.OpenConfig(_fixture.Cluster(6443), $"exec: {Exec()}");

        Assert.DoesNotContain(token, (await ClientFixture.FailAsync(transport)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_is_kept_until_it_expires()
    {
        WritePlugin(Count(), Token("t$n", expires: "2026-01-31T12:10:00Z"));
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port), $"exec: {Exec()}");
        await ClientFixture.GetAsync(transport);
        _fixture.Time.Advance(TimeSpan.FromSeconds(599));
        await ClientFixture.GetAsync(transport);
        _fixture.Time.Advance(TimeSpan.FromSeconds(1));
        await ClientFixture.GetAsync(transport);

        Assert.Equal(["Bearer t1", "Bearer t1", "Bearer t2"], server.Requests.Select(request => request.Authorization));
    }

    [Fact]
    public async Task Token_that_was_expired_when_it_came_is_asked_for_once_a_second()
    {
        WritePlugin(Count(), Token("t$n", expires: "2020-01-01T00:00:00+02:00"));
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port), $"exec: {Exec()}");
        await ClientFixture.GetAsync(transport);
        await ClientFixture.GetAsync(transport);
        _fixture.Time.Advance(TimeSpan.FromSeconds(1));
        await ClientFixture.GetAsync(transport);

        Assert.Equal(["Bearer t1", "Bearer t1", "Bearer t2"], server.Requests.Select(request => request.Authorization));
    }

    [Fact]
    public async Task After_401_the_plugin_is_run_again()
    {
        WritePlugin(Count(), Token("t$n"));
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        server.Answer = context =>
        {
            context.Response.StatusCode = context.Request.Headers.Authorization == "Bearer t2" ? 200 : 401;
            return Task.CompletedTask;
        };
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port), $"exec: {Exec()}");

        Assert.Equal(HttpStatusCode.Unauthorized, await ClientFixture.GetAsync(transport));
        Assert.Equal(HttpStatusCode.OK, await ClientFixture.GetAsync(transport));
        Assert.Equal(HttpStatusCode.OK, await ClientFixture.GetAsync(transport));
        Assert.Equal(2, Runs.Length);
    }

    [Fact]
    public async Task Client_certificate_of_the_plugin_is_shown()
    {
        var (certificate, key) = _fixture.Authority.IssueClient("from-plugin");
        string status = JsonSerializer.Serialize(new
        {
            kind = "ExecCredential",
            apiVersion = V1,
            status = new { clientCertificateData = certificate, clientKeyData = key },
        });
        _fixture.Write("credential", status);
        WritePlugin($"cat {_fixture["credential"]}");
        await using var server = await TlsServer.StartAsync(
            _fixture.Authority.IssueServer("127.0.0.1"), clients: ClientCertificateMode.RequireCertificate);
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port), $"exec: {Exec()}");
        await ClientFixture.GetAsync(transport);
        await ClientFixture.GetAsync(transport);

        Assert.All(server.Requests, request => Assert.Equal("CN=from-plugin", request.Client));
    }

    [Fact]
    public async Task Requests_at_the_same_time_share_one_run()
    {
        WritePlugin(Count(), Token("t$n"));
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port), $"exec: {Exec()}");
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => ClientFixture.GetAsync(transport)));

        Assert.Single(Runs);
    }

    [Fact]
    public async Task Plugin_by_name_is_looked_for_in_PATH_alone()
    {
        // The current directory of the tests has it as well.
        string name = "plugin-" + Guid.NewGuid().ToString("N");
        File.WriteAllText(name, "#!/bin/sh\n");
        File.SetUnixFileMode(name, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            string exec = Exec("installHint: 'Get it from the shop.'").Replace("./plugin.sh", name, StringComparison.Ordinal);
            using var transport = _fixture.OpenConfig("server: 'https://127.0.0.1:1'", $"exec: {exec}");
            Assert.Equal($"{Origin}, the exec plugin {name}: {name} is not to be found in any directory of PATH. Get it from the shop.",
                (await ClientFixture.FailAsync(transport)).Message);
        }
        finally
        {
            File.Delete(name);
        }
    }

    [Fact]
    public async Task S196_What_a_failed_plugin_says_is_told_on_one_line_without_the_secrets_it_was_given()
    {
        WritePlugin("echo first >&2; echo \"bad $AGENT_VALUE $(printf '\\033')[1m\" >&2; echo s3cret-output; " + Count() + "; exit 3");
        using var transport = _fixture.OpenConfig(
            "server: 'https://127.0.0.1:1'", $"exec: {Exec("env: [{name: AGENT_VALUE, value: s3cret-value}]")}");
        string message = $"{Failure}it ended with exit code 3: bad *** \\u001b[1m. Run it by hand as the agent's user.";

        Assert.Equal(message, (await ClientFixture.FailAsync(transport)).Message);
        Assert.Equal(message, (await ClientFixture.FailAsync(transport)).Message);
        Assert.Single(Runs);
        _fixture.Time.Advance(TimeSpan.FromSeconds(1));
        await ClientFixture.FailAsync(transport);
        Assert.Equal(2, Runs.Length);
    }

    [Fact]
    public async Task Plugin_that_never_ends_is_killed_with_its_descendants()
    {
        WritePlugin($"echo $$ > {_fixture["pid.new"]}; mv {_fixture["pid.new"]} {_fixture["pid"]}; sleep 1000; true");
        using var transport = _fixture.OpenConfig("server: 'https://127.0.0.1:1'", $"exec: {Exec()}");
        var sending = ClientFixture.FailAsync(transport);
        while (!File.Exists(_fixture["pid"]))
            await Task.Delay(1);
        _fixture.Time.Advance(TimeSpan.FromSeconds(60));

        Assert.Equal($"{Failure}it did not end within 60 s and was killed. Run it by hand as the agent's user; it must not ask anything.",
            (await sending).Message);
        string process = "/proc/" + File.ReadAllText(_fixture["pid"]).Trim();
        while (Directory.Exists(process))
            await Task.Delay(1);
    }

    [Theory]
    [InlineData("s3cret", "what it printed is not JSON")]
    [InlineData("[]", "what it printed is not of kind ExecCredential")]
    [InlineData("""{"kind":"Other"}""", "what it printed is not of kind ExecCredential")]
    [InlineData("""{"kind":"ExecCredential","apiVersion":"x/s3cret"}""",
        "what it printed is not of apiVersion client.authentication.k8s.io/v1, which the kubeconfig asks for")]
    [InlineData("V1}", "what it printed has no status")]
    [InlineData("""V1,"status":{}}""", "its status has neither a token nor a client certificate")]
    [InlineData("""V1,"status":{"token":5}}""", "token in what it printed is not text")]
    [InlineData("""V1,"status":{"clientKeyData":"s3cret"}}""",
        "its status has only one of clientCertificateData and clientKeyData")]
    [InlineData("""V1,"status":{"token":"a","expirationTimestamp":"soon"}}""",
        "its status.expirationTimestamp is not a time such as 2026-01-31T12:00:00Z")]
    public async Task S196_What_a_plugin_prints_is_never_repeated(string output, string problem)
    {
        string text = output.Replace("V1", """{"kind":"ExecCredential","apiVersion":""" + $"\"{V1}\"", StringComparison.Ordinal);
        WritePlugin($"printf '%s' '{text}'");
        using var transport = _fixture.OpenConfig("server: 'https://127.0.0.1:1'", $"exec: {Exec()}");

        Assert.Equal($"{Failure}{problem}. Run it by hand, or ask who wrote it.", (await ClientFixture.FailAsync(transport)).Message);
    }

    [Fact]
    public async Task Token_that_cannot_be_sent_is_told_without_it()
    {
        WritePlugin(Token("two words"));
        using var transport = _fixture.OpenConfig("server: 'https://127.0.0.1:1'", $"exec: {Exec()}");

        Assert.Equal($"{Failure}the token has characters that no token may have. Write the token alone, on one line.",
            (await ClientFixture.FailAsync(transport)).Message);
    }

    private string Origin => $"Kubeconfig {_fixture["config"]}, user 'u', exec.command";

    private string Failure => $"{Origin}, the exec plugin {_fixture["plugin.sh"]}: ";

    private static string Exec(string more = "", string apiVersion = V1) =>
        $"{{ apiVersion: {apiVersion}, command: ./plugin.sh, {(apiVersion == V1 ? "interactiveMode: Never, " : "")}{more} }}";

    /// <summary>A line of shell; it expands variables in the token.</summary>
    private static string Token(string token, string? expires = null, string apiVersion = V1)
    {
        string json = """{"kind":"ExecCredential","apiVersion":"V1","status":{"token":"TOKEN"EXPIRES}}""".Replace("V1", apiVersion)
            .Replace("TOKEN", token).Replace("EXPIRES", expires is null ? "" : $",\"expirationTimestamp\":\"{expires}\"");
        return $"echo \"{json.Replace("\"", "\\\"")}\"";
    }

    private string Count() => $"echo x >> {_fixture["runs"]}; n=$(wc -l < {_fixture["runs"]})";

    private void WritePlugin(params string[] lines)
    {
        string path = _fixture.Write("plugin.sh", "#!/bin/sh\n" + string.Join('\n', lines) + "\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
