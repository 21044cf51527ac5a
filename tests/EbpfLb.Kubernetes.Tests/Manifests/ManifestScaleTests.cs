// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using System.Text;
using EbpfLb.Kubernetes.Manifests;
using EbpfLb.Kubernetes.Tests.Support;
using EbpfLb.LoadBalancing.Model;
using Xunit.Abstractions;

namespace EbpfLb.Kubernetes.Tests.Manifests;

/// <summary>Ten thousand services of ten endpoints. The output says what it costs; only the outcome is asserted.</summary>
public sealed class ManifestScaleTests(ITestOutputHelper output)
{
    private const int Services = 10_000;

    [Theory]
    [InlineData("all.yaml")]
    [InlineData("all.json")]
    public void Ten_thousand_services_in_one_file_are_read(string file)
    {
        byte[] content = Encoding.UTF8.GetBytes(file.EndsWith("json", StringComparison.Ordinal)
            ? $$"""{"apiVersion": "v1", "items": [{{string.Join(",", Enumerable.Range(0, Services).Select(JsonOf))}}], "kind": "List"}"""
            : string.Join("---\n", Enumerable.Range(0, Services).Select(YamlOf)));
        var parser = new ManifestParser();
        for (int i = 0; i < 2; i++)
        {
            long heap = GC.GetTotalMemory(forceFullCollection: true);
            long allocated = GC.GetTotalAllocatedBytes(precise: true);
            long start = Stopwatch.GetTimestamp();
            var manifest = parser.Parse(file, content);
            var elapsed = Stopwatch.GetElapsedTime(start);
            allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
            heap = GC.GetTotalMemory(forceFullCollection: true) - heap;

            Assert.Empty(manifest.Problems);
            Assert.Equal(2 * Services, manifest.Objects.Count);
            output.WriteLine($"{file}: {content.Length / 1e6:f1} MB parsed in {elapsed.TotalMilliseconds:f0} ms, "
                + $"{allocated / 1e6:f0} MB allocated, {heap / 1e6:f1} MB kept");
        }
    }

    [Fact]
    public async Task Ten_thousand_services_in_twenty_thousand_files_are_served_and_one_changes()
    {
        await using var fixture = new ManifestFixture();
        for (int i = 0; i < Services; i++)
        {
            string[] parts = YamlOf(i).Split("---\n");
            await File.WriteAllTextAsync(fixture.PathOf($"s{i}.yaml"), parts[0]);
            await File.WriteAllTextAsync(fixture.PathOf($"e{i}.yaml"), parts[1]);
        }

        long heap = GC.GetTotalMemory(forceFullCollection: true);
        long start = Stopwatch.GetTimestamp();
        await fixture.StartAsync();
        output.WriteLine($"{2 * Services} files read and applied in {Stopwatch.GetElapsedTime(start).TotalMilliseconds:f0} ms, "
            + $"{(GC.GetTotalMemory(forceFullCollection: true) - heap) / 1e6:f1} MB kept");
        Assert.Equal(Services, fixture.Take().ServiceCount);

        var latencies = new List<double>();
        for (int i = 0; i < 200; i++)
        {
            fixture.Write("e7.yaml", YamlOf(7).Split("---\n")[1].Replace("10.0.7.1]", $"10.1.7.{i + 1}]", StringComparison.Ordinal));
            fixture.Take();
            start = Stopwatch.GetTimestamp();
            await fixture.Changes.WriteAsync("e7.yaml");
            await fixture.Writer.WaitAsync(CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(2));
            latencies.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        latencies.Sort();
        output.WriteLine($"one endpoint changed, from the event to the applied batch: median {latencies[100]:f2} ms, "
            + $"p99 {latencies[197]:f2} ms");

        start = Stopwatch.GetTimestamp();
        File.Delete(fixture.PathOf("s7.yaml"));
        await fixture.Changes.WriteAsync("s7.yaml");
        await ManifestFixture.EventuallyAsync(() => fixture.Take().ServiceCount == Services - 1);
        output.WriteLine($"one file deleted, to the applied batch: {Stopwatch.GetElapsedTime(start).TotalMilliseconds:f1} ms");
        Assert.Null(fixture.Service("web-7"));
        Assert.Equal(Address.Parse("10.1.7.200"), fixture.Take().SlicesOf(new ObjectName("default", "web-7"))[0].Endpoints[0].Address);
    }

    private static string YamlOf(int i) => $$"""
        apiVersion: v1
        kind: Service
        metadata:
          name: web-{{i}}
          labels:
            app: web-{{i}}
        spec:
          clusterIP: 10.{{96 + (i / 62500)}}.{{i / 250 % 250}}.{{(i % 250) + 1}}
          selector:
            app: web-{{i}}
          ports:
          - name: http
            port: 80
            targetPort: 8080
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata:
          name: web-{{i}}-abcde
          labels:
            kubernetes.io/service-name: web-{{i}}
        addressType: IPv4
        ports:
        - name: http
          port: 8080
          protocol: TCP
        endpoints:
        {{string.Concat(Enumerable.Range(1, 10).Select(j =>
            $"- addresses: [10.{i / 250}.{i % 250}.{j}]\n  conditions:\n    ready: true\n    serving: true\n    terminating: false\n"
            + $"  nodeName: node-{j}\n  zone: zone-a\n"))}}
        """;

    private static string JsonOf(int i)
    {
        string endpoints = string.Join(",\n", Enumerable.Range(1, 10).Select(j =>
            $$$"""{"addresses": ["10.{{{i / 250}}}.{{{i % 250}}}.{{{j}}}"], "conditions": {"ready": true}, "nodeName": "node-{{{j}}}"}"""));
        return $$$"""
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web-{{{i}}}"},
             "spec": {"clusterIP": "10.96.{{{i / 250}}}.{{{(i % 250) + 1}}}", "ports": [{"name": "http", "port": 80}]}},
            {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
             "metadata": {"name": "web-{{{i}}}-abcde", "labels": {"kubernetes.io/service-name": "web-{{{i}}}"}},
             "ports": [{"name": "http", "port": 8080}], "endpoints": [{{{endpoints}}}]}
            """;
    }
}
