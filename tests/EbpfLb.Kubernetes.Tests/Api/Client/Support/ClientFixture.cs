// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Text;
using EbpfLb.Kubernetes.Api;
using EbpfLb.Kubernetes.Api.Client;
using EbpfLb.Kubernetes.Api.Client.Configuration;
using EbpfLb.Kubernetes.Tests.Support;

namespace EbpfLb.Kubernetes.Tests.Api.Client.Support;

/// <summary>A directory for kubeconfigs and what they name, an authority, and time that the test moves.</summary>
internal sealed class ClientFixture : IDisposable
{
    private readonly TempDirectory _directory = new();

    public TestAuthority Authority { get; } = new("cluster-ca");

    public ManualTimeProvider Time { get; } = new();

    public RecordingLogger<ClientFixture> Logger { get; } = new();

    public static PodEnvironment NoPod { get; } = new(null, null, "/nonexistent");

    public string this[string name] => _directory[name];

    public static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    /// <summary>As kubectl rotates: the new file takes the place of the old.</summary>
    public string Write(string name, string text)
    {
        string path = _directory[name];
        File.WriteAllText(path + ".new", text);
        File.SetUnixFileMode(path + ".new", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.Move(path + ".new", path, overwrite: true);
        return path;
    }

    /// <param name="cluster">Fields in YAML's flow style.</param>
    public string WriteConfig(string cluster, string user = "", string name = "config") => Write(name, Config(cluster, user));

    public static string Config(string cluster, string user = "") => $"""
        apiVersion: v1
        kind: Config
        current-context: main
        contexts:
        - name: main
          context: {"{cluster: c, user: u}"}
        clusters:
        - name: c
          cluster: {"{"} {cluster} {"}"}
        users:
        - name: u
          user: {"{"} {user} {"}"}
        """;

    /// <summary>Fields of a cluster whose authority is this one.</summary>
    public string Cluster(int port, string host = "127.0.0.1") =>
        $"server: 'https://{host}:{port}', certificate-authority-data: {Base64(Authority.Pem)}";

    public IApiTransport Open(params string[] files) => Open(new ApiOptions { Kubeconfigs = files });

    public IApiTransport Open(ApiOptions options, PodEnvironment? pod = null) =>
        ApiTransportFactory.Create(options, Logger, Time, pod ?? NoPod);

    public IApiTransport OpenConfig(string cluster, string user = "") => Open(WriteConfig(cluster, user));

    public ApiUnreachableException Refused(params string[] files) => Assert.Throws<ApiUnreachableException>(() => Open(files));

    public static async Task<HttpStatusCode> GetAsync(IApiTransport transport, string path = "/api/v1/services")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        using var response = await transport.SendAsync(request, default);
        await response.Content.ReadAsStringAsync();
        Assert.Null(request.Headers.Authorization);
        return response.StatusCode;
    }

    public static Task<ApiUnreachableException> FailAsync(IApiTransport transport) =>
        Assert.ThrowsAsync<ApiUnreachableException>(() => GetAsync(transport));

    public void Dispose()
    {
        Authority.Dispose();
        _directory.Dispose();
    }
}
