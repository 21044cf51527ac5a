// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Tests.Manifests;

public sealed class JsonFuzzTests
{
    private static readonly string[] Bases =
    [
        ManifestText.Node(),
        """
        {"apiVersion": "v1", "kind": "List", "items": [
          {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"clusterIP": "10.96.0.1", "ports": [{"port": 80}]}},
          {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "endpoints": [{"addresses": ["10.244.1.11"]}],
           "metadata": {"name": "web-1", "labels": {"kubernetes.io/service-name": "web"}}}]}
        """,
    ];

    [Fact]
    public void Mutated_json_never_harms_the_parser() => ManifestParserFuzz.Run("web.json", Bases, seed: 20260131);
}
