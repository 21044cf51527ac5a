// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Tests.Manifests;

/// <summary>Manifests for tests, with the lines that the assertions count on.</summary>
internal static class ManifestText
{
    public static string Service(string name = "web", string clusterIP = "10.96.0.10", string port = "80") => $"""
        apiVersion: v1
        kind: Service
        metadata:
          name: {name}
        spec:
          clusterIP: {clusterIP}
          ports:
          - port: {port}

        """;

    public static string Slice(string name = "web-1", string service = "web", params string[] addresses) => $"""
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata:
          name: {name}
          labels:
            kubernetes.io/service-name: {service}
        addressType: IPv4
        ports:
        - port: 8080
        endpoints:
        {string.Concat(addresses.Select(address => $"- addresses: [{address}]\n"))}
        """;

    public static string Node(string name = "node-1", string zone = "zone-a") => $$$"""
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "{{{name}}}", "labels": {"topology.kubernetes.io/zone": "{{{zone}}}"} } }
        """;
}
