// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Tests.Api.Wire;

public sealed class JsonWireFuzzTests
{
    private const string Slice =
        """{"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{"name":"web-1","resourceVersion":"5"},"""
        + """ "addressType":"IPv4","ports":[{"name":"http","port":80}],"endpoints":[{"addresses":["10.244.1.11"],"""
        + """ "conditions":{"ready":true},"nodeName":"node-a","hints":{"forZones":[{"name":"zone-a"}]}}]}""";

    [Fact]
    public Task S201_Mutated_JSON_never_harms_the_reader() => new WireFuzz(
        Recordings.Json,
        [
            .. new[]
            {
                """{"kind":"EndpointSliceList","apiVersion":"discovery.k8s.io/v1","metadata":{"resourceVersion":"7"},"items":["""
                    + Slice + "," + Slice + "]}",
                """{"kind":"ServiceList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"web"},"""
                    + """ "spec":{"clusterIP":"10.96.0.1","ports":[{"port":80,"nodePort":30080}]}}]}""",
            }.Select(System.Text.Encoding.UTF8.GetBytes),
        ],
        [
            .. new[]
            {
                """{"type":"ADDED","object":""" + Slice + "}\n" + """{"type":"MODIFIED","object":""" + Slice + "}\n",
                """{"type":"BOOKMARK","object":{"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{"""
                    + """ "resourceVersion":"9","annotations":{"k8s.io/initial-events-end":"true"}}}}""" + "\n",
                """{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","code":410,"reason":"Expired"}}""" + "\n",
            }.Select(System.Text.Encoding.UTF8.GetBytes),
        ],
        seed: 20260202).Run(100_000);
}
