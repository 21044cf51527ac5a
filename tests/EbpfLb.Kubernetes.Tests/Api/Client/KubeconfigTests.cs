// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using EbpfLb.Kubernetes.Api;
using EbpfLb.Kubernetes.Api.Client;
using EbpfLb.Kubernetes.Api.Client.Configuration;
using EbpfLb.Kubernetes.Tests.Api.Client.Support;

namespace EbpfLb.Kubernetes.Tests.Api.Client;

/// <summary>What kubeconfigs may say, how several become one, and what is said about wrong ones.</summary>
public sealed class KubeconfigTests : IDisposable
{
    private const string Server = "server: 'https://192.0.2.1:6443'";

    private readonly ClientFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    /// <summary>Fields of the cluster, fields of the user, the message behind the name of the file.</summary>
    public static TheoryData<string, string, string> WrongFields => new()
    {
        { "", "", "cluster 'c', server: it is missing. Set the address, such as https://192.0.2.1:6443." },
        { "server: 5", "", "cluster 'c', server: it must be text, not a number. Put it in quotes." },
        { "server: '192.0.2.1:6443'", "", "cluster 'c', server: it must be an address such as https://192.0.2.1:6443." },
        { "server: 'ftp://192.0.2.1'", "", "cluster 'c', server: it must be an address such as https://192.0.2.1:6443." },
        {
            "server: 'https://me:s3cret@192.0.2.1'", "", "cluster 'c', server: it must not hold a user or a password. Put username and password "
                + "into the user of the kubeconfig."
        },
        { "server: 'https://192.0.2.1/?a=b'", "", "cluster 'c', server: it must end with the path: no '?' and no fragment." },
        { $"{Server}, insecure-skip-tls-verify: 'true'", "", "cluster 'c', insecure-skip-tls-verify: it must be true or false, not text." },
        {
            $"{Server}, insecure-skip-tls-verify: true, certificate-authority: ca.crt", "",
            "cluster 'c', insecure-skip-tls-verify: certificate-authority is set as well. Remove one of the two."
        },
        {
            $"{Server}, certificate-authority: missing.crt", "",
            "cluster 'c', certificate-authority: the file DIR/missing.crt cannot be read: No such file or directory."
        },
        { $"{Server}, certificate-authority: .", "", "cluster 'c', certificate-authority: the file DIR cannot be read: Is a directory." },
        {
            $"{Server}, certificate-authority: empty", "",
            "cluster 'c', certificate-authority: the file DIR/empty cannot be read: it is empty, or not a regular file."
        },
        {
            $"{Server}, certificate-authority: ca.crt, certificate-authority-data: AAAA", "",
            "cluster 'c', certificate-authority-data: certificate-authority is set as well. Remove one of the two."
        },
        {
            $"{Server}, certificate-authority-data: '***'", "",
            "cluster 'c', certificate-authority-data: it is not base64. Encode the PEM text with 'base64 -w0'."
        },
        {
            $"{Server}, certificate-authority-data: AAAA", "", "cluster 'c', certificate-authority-data: there is no certificate in it, as PEM "
                + "text (-----BEGIN CERTIFICATE-----). Store what was issued."
        },
        {
            $"{Server}, certificate-authority-data: {ClientFixture.Base64("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")}", "",
            "cluster 'c', certificate-authority-data: a certificate in it is damaged. Store what was issued."
        },
        { $"{Server}, tls-server-name: [a]", "", "cluster 'c', tls-server-name: it must be text, not a list." },
        {
            $"{Server}, proxy-url: 'gopher://me:s3cret@proxy'", "",
            "cluster 'c', proxy-url: it must be the address of a proxy: http://, https:// or socks5://."
        },
        { Server, "token: 12345678", "user 'u', token: it must be text, not a number. Put it in quotes." },
        { Server, "token: {s3cret: 1}", "user 'u', token: it must be text, not a mapping." },
        {
            Server, "token: 's3cret s3cret'",
            "user 'u', token: the token has characters that no token may have. Write the token alone, on one line."
        },
        { Server, "token: ' '", "user 'u', token: the token is empty. Write one, or remove the setting." },
        { Server, "tokenFile: missing", "user 'u', tokenFile: the file DIR/missing cannot be read: No such file or directory." },
        { Server, "token: s3cret, username: me", "user 'u', username: a token is set as well. Remove one of the two." },
        { Server, "username: me, password: 5", "user 'u', password: it must be text, not a number. Put it in quotes." },
        {
            Server, "client-certificate: agent.crt",
            "user 'u', client-key: it is missing, and client-certificate is of no use without it. Set client-key or -data."
        },
        {
            Server, "client-key-data: s3cret",
            "user 'u', client-certificate: it is missing, and client-key is of no use without it. Set client-certificate or -data."
        },
        {
            Server, "client-certificate: missing.crt, client-key: agent.key",
            "user 'u', client-certificate: the file DIR/missing.crt cannot be read: No such file or directory."
        },
        {
            Server, "client-certificate: agent.crt, client-key-data: '*s3cret'",
            "user 'u', client-key-data: it is not base64. Encode the PEM text with 'base64 -w0'."
        },
        {
            Server, $"client-certificate: agent.crt, client-key-data: {ClientFixture.Base64("s3cret")}",
            "user 'u', client-key-data: this is no private key, as PEM text, of the certificate in DIR/agent.crt. Store the two that were issued "
                + "together."
        },
        {
            Server, "auth-provider: {name: gcp, config: {access-token: s3cret}}",
            "user 'u', auth-provider: kubectl has removed these as well. Use an exec plugin of the same provider."
        },
        {
            Server, "token: s3cret, as: somebody",
            "user 'u', as: the agent does not act as somebody else. Give it an account of its own."
        },
        { Server, "exec: [s3cret]", "user 'u', exec: it must be a mapping, not a list." },
        { Server, "exec: {command: x}", "user 'u', exec.apiVersion: it is missing. Set client.authentication.k8s.io/v1." },
        {
            Server, "exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}",
            "user 'u', exec.apiVersion: it must be client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1. Let a newer version of "
                + "the plugin write it."
        },
        { Server, Exec("interactiveMode: Never"), "user 'u', exec.command: it is missing. Name the plugin." },
        {
            Server, Exec("command: x"),
            "user 'u', exec.interactiveMode: it is missing, and client.authentication.k8s.io/v1 needs it. Set it to Never or IfAvailable."
        },
        {
            Server, Exec("command: x, interactiveMode: Always"),
            "user 'u', exec.interactiveMode: the agent has no terminal for it. Use credentials that need nobody to type."
        },
        { Server, Exec("command: x, interactiveMode: Yes!"), "user 'u', exec.interactiveMode: it must be Never, IfAvailable or Always." },
        { Server, Exec("command: x, interactiveMode: Never, args: s3cret"), "user 'u', exec.args: it must be a list, not text." },
        {
            Server, Exec("command: x, interactiveMode: Never, args: [a, 5]"),
            "user 'u', exec.args[1]: it must be text, not a number. Put it in quotes."
        },
        {
            Server, Exec("command: x, interactiveMode: Never, env: [{value: s3cret}]"),
            "user 'u', exec.env[0].name: it is missing. Name the variable."
        },
        { Server, Exec("command: x, interactiveMode: Never, env: [s3cret]"), "user 'u', exec.env[0]: it must be a mapping, not text." },
        {
            Server, Exec("command: x, interactiveMode: Never, provideClusterInfo: s3cret"),
            "user 'u', exec.provideClusterInfo: it must be true or false, not text."
        },
    };

    [Theory]
    [MemberData(nameof(WrongFields))]
    public void S196_Wrong_field_is_named_with_the_way_out_and_never_with_its_value(string cluster, string user, string message)
    {
        var (certificate, key) = _fixture.Authority.IssueClient("agent");
        _fixture.Write("agent.crt", certificate);
        _fixture.Write("agent.key", key);
        _fixture.Write("empty", "");
        string directory = Path.GetDirectoryName(_fixture.WriteConfig(cluster, user))!;
        var error = _fixture.Refused(_fixture["config"]);

        Assert.Equal($"Kubeconfig {_fixture["config"]}, {message.Replace("DIR", directory, StringComparison.Ordinal)}", error.Message);
        Assert.DoesNotContain("s3cret", error + string.Concat(_fixture.Logger.Warnings), StringComparison.Ordinal);
        Assert.DoesNotContain("12345678", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "The kubeconfig: the file FILE cannot be read: it is empty, or not a regular file.")]
    [InlineData("# nothing\n", "The kubeconfig FILE holds nothing but comments.")]
    [InlineData("s3cret", "The kubeconfig FILE must be a mapping, not text.")]
    [InlineData("users:\n- name: u\n  user: {token: *s3cret }\n",
        "The kubeconfig FILE is not valid YAML or JSON, line 3. 'kubectl config view --kubeconfig' with this file says more.")]
    [InlineData("users:\n\t- s3cret\n",
        "The kubeconfig FILE is not valid YAML or JSON, line 2. 'kubectl config view --kubeconfig' with this file says more.")]
    [InlineData("a: 1\ns3cret: 1\ns3cret: 2\n",
        "The kubeconfig FILE is not valid YAML or JSON, line 3. 'kubectl config view --kubeconfig' with this file says more.")]
    [InlineData("kind: Service\n", "Kubeconfig FILE, top level, kind: it must be Config. Name a kubeconfig.")]
    [InlineData("apiVersion: v2\n", "Kubeconfig FILE, top level, apiVersion: it must be v1.")]
    [InlineData("clusters: {}\n", "Kubeconfig FILE, top level, clusters: it must be a list, not a mapping.")]
    [InlineData("users: [a]\n", "Kubeconfig FILE, top level, users[0]: it must be a mapping, not text.")]
    [InlineData("contexts: [{context: {}}]\n", "Kubeconfig FILE, top level, contexts[0].name: it is missing. Give the entry a name.")]
    [InlineData("users: [{name: a}, {name: a}]\n",
        "Kubeconfig FILE, top level, users[1].name: 'a' appears twice. Rename or remove one of the two.")]
    [InlineData("{}", "Kubeconfig FILE: current-context is not set. Set it with 'kubectl config use-context', or name a context. There are no "
        + "contexts.")]
    [InlineData("contexts: [{name: b}, {name: a}]",
        "Kubeconfig FILE: current-context is not set. Set it with 'kubectl config use-context', or name a context. Contexts: 'a', 'b'.")]
    [InlineData("{current-context: x, contexts: [{name: a}]}",
        "Kubeconfig FILE: there is no context 'x', which current-context names. Contexts: 'a'.")]
    [InlineData("{current-context: a, contexts: [{name: a}]}",
        "Kubeconfig FILE, context 'a', cluster: it is missing. Name a cluster of the kubeconfig.")]
    [InlineData("{current-context: a, contexts: [{name: a, context: {cluster: c}}]}",
        "Kubeconfig FILE, context 'a', cluster: Kubeconfig FILE has no cluster 'c'. Add it, or choose another context.")]
    [InlineData("{current-context: a, contexts: [{name: a, context: {cluster: c, user: u}}], clusters: [{name: c}]}",
        "Kubeconfig FILE, context 'a', user: Kubeconfig FILE has no user 'u'. Add it, or choose another context.")]
    public void File_that_is_no_kubeconfig_is_told(string text, string message)
    {
        string file = _fixture.Write("config", text);
        var error = _fixture.Refused(file);

        Assert.Equal(message.Replace("FILE", file, StringComparison.Ordinal), error.Message);
        Assert.DoesNotContain("s3cret", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void S163_File_that_was_named_must_exist()
    {
        Assert.Equal($"The kubeconfig: the file {_fixture["none"]} cannot be read: No such file or directory.",
            _fixture.Refused(_fixture["none"]).Message);
        Assert.Equal($"The kubeconfig: the file {_fixture["."]} cannot be read: Is a directory.", _fixture.Refused(_fixture["."]).Message);
        Assert.Throws<ApiUnreachableException>(() => ApiTransportFactory.Verify(new ApiOptions { Kubeconfigs = [_fixture["none"]] }));
    }

    [Fact]
    public void S163_File_that_may_not_be_read_is_told_with_its_path()
    {
        var denied = new UnauthorizedAccessException("Access to the path is denied.");
        Assert.Equal("Permission denied; let the agent's user read it", CredentialFile.Reason(denied, _fixture["config"]));
    }

    [Fact]
    public void Of_several_files_those_that_do_not_exist_are_left_out()
    {
        string file = _fixture.WriteConfig(Server);
        using var transport = _fixture.Open("", _fixture["none"], file);

        Assert.Equal("192.0.2.1", transport.Server.Host);
        Assert.Equal($"None of the kubeconfigs {_fixture["none"]}, {_fixture["more"]} exists. Name one that does.",
            _fixture.Refused(_fixture["none"], _fixture["more"]).Message);
        Assert.Equal("The list of kubeconfigs names no file. Name one, or unset it.", _fixture.Refused("").Message);
    }

    [Fact]
    public async Task Of_several_files_the_first_to_name_an_entry_has_it_whole()
    {
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        Directory.CreateDirectory(_fixture["a"]);
        Directory.CreateDirectory(_fixture["b"]);
        // Neither names all that is needed. What is relative is so to the file that says it.
        string first = _fixture.Write("a/config", $"""
            users:
            - name: u
              user: {"{tokenFile: token}"}
            contexts:
            - name: main
              context: {"{cluster: c, user: u}"}
            """);
        string second = _fixture.Write("b/config", $"""
            current-context: main
            users:
            - name: u
              user: {"{username: me, password: other}"}
            clusters:
            - name: c
              cluster:
                server: https://127.0.0.1:{server.Port}
                certificate-authority: ../ca.crt
            contexts:
            - name: main
              context: {"{cluster: none, user: none}"}
            """);
        string third = _fixture.Write("third", "current-context: none\n");
        _fixture.Write("ca.crt", _fixture.Authority.Pem);
        _fixture.Write("a/token", "of-a");
        using var transport = _fixture.Open(first, second, third);

        Assert.Equal(HttpStatusCode.OK, await ClientFixture.GetAsync(transport));
        Assert.Equal("Bearer of-a", server.Last.Authorization);
    }

    [Fact]
    public void Context_can_be_chosen_and_the_server_replaced()
    {
        string file = _fixture.Write("config", """
            {"current-context": "a", "apiVersion": "v1", "kind": "Config",
            "contexts": [{"name": "a", "context": {"cluster": "a"}}, {"name": "b", "context": {"cluster": "b"}}],
            "clusters": [{"name": "a", "cluster": {"server": "https://a.example"}},
            	{"name": "b", "cluster": {"server": "https://b.example"}}]}
            """);
        using var current = _fixture.Open(file);
        using var chosen = _fixture.Open(new ApiOptions { Kubeconfigs = [file], Context = "b" });
        using var replaced = _fixture.Open(new ApiOptions { Kubeconfigs = [file], Server = "https://[2001:db8::1]:6443" });

        Assert.Equal(("a.example", "b.example", "[2001:db8::1]"), (current.Server.Host, chosen.Server.Host, replaced.Server.Host));
        Assert.Equal($"Kubeconfig {file}: there is no context 'c'. Contexts: 'a', 'b'.", Assert.Throws<ApiUnreachableException>(
            () => _fixture.Open(new ApiOptions { Kubeconfigs = [file], Context = "c" })).Message);
        Assert.Equal("The server that takes the place of the configured one: it must be an address such as https://192.0.2.1:6443.",
            Assert.Throws<ApiUnreachableException>(() => _fixture.Open(new ApiOptions { Server = "s3cret" })).Message);
    }

    [Theory]
    [InlineData("username: me, password: 'pass: word'", "Basic bWU6cGFzczogd29yZA==")]
    [InlineData("token: inline, tokenFile: token", "Bearer from-file")]
    [InlineData("token: inline, exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: ./none}", "Bearer inline")]
    [InlineData("", null)]
    public async Task User_is_who_the_kubeconfig_says(string user, string? authorization)
    {
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        _fixture.Write("token", "from-file");
        using var transport = _fixture.OpenConfig(_fixture.Cluster(server.Port), user);
        await ClientFixture.GetAsync(transport);

        Assert.Equal(authorization, server.Last.Authorization);
    }

    [Theory]
    [InlineData("token: s3cret", true)]
    [InlineData("password: s3cret", true)]
    [InlineData("tokenFile: token", false)]
    [InlineData("token: ''", false)]
    public void S196_Kubeconfig_with_secrets_that_all_can_read_is_told_once(string user, bool isTold)
    {
        _fixture.Write("token", "abc");
        string file = _fixture.WriteConfig(Server, user);
        using (_fixture.Open(file))
            Assert.Empty(_fixture.Logger.Warnings);

        File.SetUnixFileMode(file, File.GetUnixFileMode(file) | UnixFileMode.OtherRead);
        using var transport = _fixture.Open(file);
        _fixture.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(isTold
            ? [$"The kubeconfig {file} holds secrets, and every user of this machine can read it. Take that right away: chmod o-r"]
            : [], _fixture.Logger.Warnings);
    }

    [Fact]
    public void S196_Key_that_needs_a_passphrase_is_told()
    {
        var (certificate, key) = _fixture.Authority.IssueClient("agent", "EC with passphrase");
        _fixture.Write("agent.crt", certificate);
        string path = _fixture.Write("agent.key", key);

        Assert.Equal($"{path}: the key needs a passphrase. Store it without one, readable by the agent alone.",
            _fixture.Refused(_fixture.WriteConfig(Server, "client-certificate: agent.crt, client-key: agent.key")).Message);
    }

    [Theory]
    [InlineData("10.96.0.1", "443", "https://10.96.0.1/")]
    [InlineData("2001:db8::1", "6443", "https://[2001:db8::1]:6443/")]
    public void Pod_finds_the_server_in_its_environment(string host, string port, string server)
    {
        _fixture.Write("token", "abc");
        string directory = Path.GetDirectoryName(_fixture.Write("ca.crt", _fixture.Authority.Pem))!;
        using var transport = _fixture.Open(new ApiOptions(), new PodEnvironment(host, port, directory));

        Assert.Equal(server, transport.Server.AbsoluteUri);
    }

    [Fact]
    public void Pod_without_what_it_needs_is_told()
    {
        string Message(ApiOptions options, PodEnvironment pod) =>
            Assert.Throws<ApiUnreachableException>(() => _fixture.Open(options, pod)).Message;

        Assert.Equal("No API server is named: there is no kubeconfig, and this is no pod (KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are "
            + "not set). Name a kubeconfig.", Message(new ApiOptions(), ClientFixture.NoPod));
        Assert.Equal("KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT do not make an address. Name a kubeconfig, or repair the environment.",
            Message(new ApiOptions(), new PodEnvironment("a b", "x", "/nonexistent")));
        Assert.Equal("The service account of the pod: the file /nonexistent/token cannot be read: No such file or directory.",
            Message(new ApiOptions(), new PodEnvironment("192.0.2.1", "443", "/nonexistent")));
    }

    [Fact]
    public async Task Server_alone_is_used_without_credentials()
    {
        await using var server = await TlsServer.StartAsync(null, Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http1);
        using var transport = _fixture.Open(new ApiOptions { Server = $"http://127.0.0.1:{server.Port}" });

        Assert.Equal(HttpStatusCode.OK, await ClientFixture.GetAsync(transport));
        Assert.Null(server.Last.Authorization);
    }

    [Fact]
    public void Where_the_configuration_comes_from_is_told_without_secrets()
    {
        Assert.Equal("the service account of the pod", ApiTransportFactory.Describe(new ApiOptions()));
        Assert.Equal("kubeconfig /a, /b, context 'x', at https://192.0.2.1:6443", ApiTransportFactory.Describe(
            new ApiOptions { Kubeconfigs = ["/a", "/b"], Context = "x", Server = "https://192.0.2.1:6443" }));
        Assert.Equal("kubeconfig /a", ApiTransportFactory.Describe(
            new ApiOptions { Kubeconfigs = ["/a"], Server = "https://me:s3cret@192.0.2.1:6443" }));
    }

    private static string Exec(string fields) => $"exec: {{ apiVersion: client.authentication.k8s.io/v1, {fields} }}";
}
