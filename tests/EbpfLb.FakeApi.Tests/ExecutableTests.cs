// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using System.Text.Json.Nodes;

namespace EbpfLb.FakeApi.Tests;

public sealed class ExecutableTests : IDisposable
{
    private const string Manifest =
        """
        apiVersion: v1
        kind: Service
        metadata: {name: web, namespace: default, labels: {version: "1.10"}}
        spec: {clusterIP: 10.96.0.1, ports: [{port: 80, name: http}]}
        ---
        apiVersion: v1
        kind: List
        items:
        - apiVersion: v1
          kind: Node
          metadata: {name: node-a}
        """;

    private readonly string _directory = Directory.CreateTempSubdirectory("fakeapi-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task It_says_where_it_listens_and_serves_manifests_and_generated_services()
    {
        File.WriteAllText(Path.Combine(_directory, "web.yaml"), Manifest);
        string kubeconfig = Path.Combine(_directory, "config");
        using var process = Start("--objects", _directory, "--services", "2", "--endpoints", "3", "--kubeconfig", kubeconfig);
        try
        {
            string line = await process.StandardOutput.ReadLineAsync().WaitAsync(ApiClient.Patience) ?? "";
            var ready = JsonNode.Parse(line)!;
            Assert.True(ready["ready"]!.GetValue<bool>());
            Assert.Contains("server: " + ready["url"], File.ReadAllText(kubeconfig), StringComparison.Ordinal);
            using var client = new ApiClient(new HttpClient { BaseAddress = new Uri(ready["url"]!.ToString()) }, protobuf: true);
            var services = await client.ReadAsync(ApiClient.Services);
            Assert.Equal(["svc-00000", "svc-00001", "web"], ApiClient.NamesIn(services));
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    [Theory]
    [InlineData("--nonsense", "1")]
    [InlineData("--services", "many")]
    [InlineData("--listen")]
    public async Task A_wrong_option_is_named(params string[] arguments)
    {
        using var process = Start(arguments);
        string error = await process.StandardError.ReadToEndAsync().WaitAsync(ApiClient.Patience);
        await process.WaitForExitAsync();
        Assert.Equal(2, process.ExitCode);
        Assert.Contains(arguments[0], error, StringComparison.Ordinal);
    }

    private static Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(FakeApiServer).Assembly.Location, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return Process.Start(start)!;
    }
}
