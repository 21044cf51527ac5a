// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Net.Http.Json;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using EbpfLb.Bench.Processes;
using EbpfLb.Linux.Processes;

namespace EbpfLb.Bench.Api;

/// <summary>An API server with a cluster of size, a process of its own in the namespace of the node; TLS and client certificates.</summary>
internal sealed class FakeApiProcess : IDisposable
{
    public const string Namespace = "bulk";

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    private readonly string _directory = Directory.CreateTempSubdirectory("ebpflb-bench-api-").FullName;
    private readonly NetworkNamespace _namespace;
    private readonly FollowedProcess _process;
    private readonly HttpClient _control;

    private FakeApiProcess(Sandbox sandbox, IEnumerable<string> objects, CancellationToken stopping)
    {
        _namespace = NetworkNamespace.Open(sandbox.NodeNamespace);
        _process = new FollowedProcess("nsenter",
            [$"--net={sandbox.NodeNamespace}", "--", "dotnet", BenchOptions.FakeApi, "--tls", _directory, "--kubeconfig", Kubeconfig,
            .. objects]);
        try
        {
            string ready = _process.WaitForLine(line => line.StartsWith('{'), Deadline, stopping).Text;
            _control = Connect(new Uri(JsonNode.Parse(ready)!["url"]!.ToString()));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Leads to it.</summary>
    public string Kubeconfig => Path.Combine(_directory, "kubeconfig");

    public static FakeApiProcess Start(Sandbox sandbox, int services, int endpoints, CancellationToken stopping) =>
        new(sandbox, ["--services", $"{services}", "--endpoints", $"{endpoints}"], stopping);

    /// <param name="directory">Of YAML and JSON files.</param>
    public static FakeApiProcess Start(Sandbox sandbox, string directory, CancellationToken stopping) =>
        new(sandbox, ["--objects", directory], stopping);

    /// <summary>The service of a slice; with a hundred endpoints at most each has one.</summary>
    public static string ServiceName(int service) => $"{Namespace}/svc-{service:00000}";

    /// <summary>Another version of an EndpointSlice, as a controller writes it.</summary>
    public async Task PutSliceAsync(JsonObject slice, CancellationToken stopping)
    {
        var metadata = slice["metadata"]!;
        string path = $"/apis/discovery.k8s.io/v1/namespaces/{metadata["namespace"]}/endpointslices/{metadata["name"]}";
        using var response = await _control.PutAsJsonAsync(path, slice, stopping);
        response.EnsureSuccessStatusCode();
    }

    /// <param name="move">The first endpoint gets another address; otherwise it stops being ready, or is again.</param>
    /// <returns>When the server began to send it: nanoseconds of CLOCK_MONOTONIC.</returns>
    public async Task<long> ChangeAsync(int slice, bool move, CancellationToken stopping)
    {
        var answer = await PostAsync("change", new JsonObject { ["slice"] = slice, ["kind"] = Kind(move) }, stopping);
        return answer["writtenAt"]!.GetValue<long>();
    }

    /// <summary>Changes every slice once.</summary>
    /// <returns>When the first was changed, and when the server began to send the last.</returns>
    public async Task<(long FirstAt, long LastAt)> ChangeAllAsync(bool move, TimeSpan within, CancellationToken stopping)
    {
        var answer = await PostAsync(
            "change-all", new JsonObject { ["kind"] = Kind(move), ["milliseconds"] = (int)within.TotalMilliseconds }, stopping);
        return (answer["firstChangedAt"]!.GetValue<long>(), answer["lastWrittenAt"]!.GetValue<long>());
    }

    /// <summary>How often slices were listed or watched: more than before means that a watch did not last.</summary>
    public async Task<int> RequestsForSlicesAsync(CancellationToken stopping)
    {
        var requests = await _control.GetFromJsonAsync<JsonArray>("/fake/requests", stopping) ?? [];
        return requests.Count(request => request!["resource"]!.ToString() == "endpointslices");
    }

    public void Dispose()
    {
        _control?.Dispose();
        _process.Dispose();
        _namespace.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static string Kind(bool move) => move ? "Address" : "Ready";

    private async Task<JsonNode> PostAsync(string page, JsonObject body, CancellationToken stopping)
    {
        using var response = await _control.PostAsJsonAsync($"/fake/{page}", body, stopping);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<JsonNode>(stopping))!;
    }

    private HttpClient Connect(Uri url)
    {
        var authority = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(_directory, "ca.crt"));
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.Add(authority);
        return new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = ConnectAsync,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy },
        })
        { BaseAddress = url };
    }

    // A socket stays in the namespace it was made in.
    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken stopping)
    {
        var socket = _namespace.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true });
        try
        {
            await socket.ConnectAsync(IPAddress.Parse(context.DnsEndPoint.Host), context.DnsEndPoint.Port, stopping);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
