// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Api;
using EbpfLb.Kubernetes.Api.Client.Configuration;
using EbpfLb.Kubernetes.Tests.Api.Client.Support;

namespace EbpfLb.Kubernetes.Tests.Api.Client;

/// <summary>A life with everything that can go wrong, of which nothing secret may be heard.</summary>
public sealed class SecretTests : IDisposable
{
    private readonly ClientFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public async Task S196_No_token_key_or_password_gets_into_a_log_a_message_or_a_text_of_a_type()
    {
        await using var server = await TlsServer.StartAsync(_fixture.Authority.IssueServer("127.0.0.1"));
        await using var elsewhere = await TlsServer.StartAsync(_fixture.Authority.IssueServer("elsewhere"));
        server.Answer = context =>
        {
            context.Response.StatusCode = 401;
            return Task.CompletedTask;
        };
        var (certificate, key) = _fixture.Authority.IssueClient("agent");
        string keyData = ClientFixture.Base64(key);
        _fixture.Write("token", "s3cret-in-file");
        string[] users =
        [
            "token: s3cret-token", "tokenFile: token", "username: s3cret-user, password: s3cret-password",
            $"client-certificate-data: {ClientFixture.Base64(certificate)}, client-key-data: {keyData}",
            "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: /bin/sh, args: ['-c', 'echo s3cret; echo $A >&2; exit 1'], "
                + "env: [{name: A, value: s3cret-variable}]}",
        ];
        var heard = new List<string>();
        foreach (string user in users)
        {
            foreach (string cluster in (string[])[_fixture.Cluster(server.Port), _fixture.Cluster(elsewhere.Port), _fixture.Cluster(1)])
            {
                string file = _fixture.WriteConfig(cluster + ", proxy-url: ''", user);
                File.SetUnixFileMode(file, File.GetUnixFileMode(file) | UnixFileMode.OtherRead);
                var options = new ApiOptions { Kubeconfigs = [file] };
                using var transport = _fixture.Open(options);
                for (int i = 0; i < 2; i++)
                    heard.Add(await HearAsync(transport.SendAsync));
                _fixture.WriteConfig(cluster, user + ", as: s3cret");
                _fixture.Time.Advance(TimeSpan.FromSeconds(30));
                _fixture.WriteConfig(cluster + ", tls-server-name: other", user);
                _fixture.Time.Advance(TimeSpan.FromSeconds(30));
                heard.AddRange([transport.ToString()!, transport.Server.ToString(), options.ToString(),
                    new ConfigurationLoader(options, ClientFixture.NoPod, _fixture.Logger).Load().ToString()!]);
            }
        }

        heard.AddRange(_fixture.Logger.Texts);
        // What is searched is there: answers, refusals of both kinds, failures of the plugin, warnings, debug events.
        string all = string.Join('\n', heard);
        Assert.All((string[])["Unauthorized", "not for '127.0.0.1'", "connection refused", "exit code 1", "holds secrets", "read anew",
            "changed: new connections"], part => Assert.Contains(part, all, StringComparison.Ordinal));
        Assert.DoesNotContain("s3cret", all, StringComparison.Ordinal);
        Assert.DoesNotContain(keyData[40..80], all, StringComparison.Ordinal);
        Assert.DoesNotContain(key.Split('\n')[1], all, StringComparison.Ordinal);
    }

    private static async Task<string> HearAsync(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> send)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        try
        {
            using var response = await send(request, default);
            return $"{response} {response.RequestMessage} {request}";
        }
        catch (Exception error)
        {
            return $"{error} {request}";
        }
    }
}
