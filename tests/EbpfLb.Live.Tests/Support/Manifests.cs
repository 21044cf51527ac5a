// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text;

namespace EbpfLb.Live.Tests.Support;

/// <summary>Kubernetes objects as people write them.</summary>
internal static class Manifests
{
    private const string Separator = "---\n";

    public static string File(params IEnumerable<string> documents) => string.Join(Separator, documents);

    public static string Service(
        string name,
        IEnumerable<string> clusterIPs,
        IEnumerable<ServicePort> ports,
        string extraSpec = "",
        string algorithm = "",
        string created = "2026-01-01T00:00:00Z")
    {
        string[] addresses = [.. clusterIPs];
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $$"""
            apiVersion: v1
            kind: Service
            metadata:
              name: {{name}}
              namespace: live
              creationTimestamp: "{{created}}"

            """);
        if (algorithm.Length > 0)
            text.AppendLine(CultureInfo.InvariantCulture, $"  annotations: {{ebpflb.io/algorithm: {algorithm}}}");
        text.AppendLine("spec:");
        if (addresses.Length > 0)
            text.AppendLine(CultureInfo.InvariantCulture, $"  clusterIP: \"{addresses[0]}\"\n  clusterIPs: [{Quoted(addresses)}]");
        foreach (string line in extraSpec.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            text.AppendLine(CultureInfo.InvariantCulture, $"  {line}");
        text.AppendLine(CultureInfo.InvariantCulture, $"  ports: [{string.Join(", ", ports.Select(port => port.ToYaml()))}]");
        return text.ToString();
    }

    public static string Slice(string name, string service, bool v6, IEnumerable<ServicePort> ports, IEnumerable<Endpoint> endpoints) =>
        string.Create(CultureInfo.InvariantCulture, $$"""
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata:
              name: {{name}}
              namespace: live
              labels: {kubernetes.io/service-name: {{service}}}
            addressType: {{(v6 ? "IPv6" : "IPv4")}}
            ports: [{{string.Join(", ", ports.Select(port => port.ToYaml()))}}]
            endpoints: [{{string.Join(", ", endpoints.Select(endpoint => Yaml(endpoint, v6)))}}]

            """);

    private static string Yaml(Endpoint endpoint, bool v6)
    {
        var conditions = new[] { ("ready", endpoint.Ready), ("serving", endpoint.Serving), ("terminating", endpoint.Terminating) }
            .Where(condition => condition.Item2 is not null)
            .Select(condition => $"{condition.Item1}: {(condition.Item2 == true ? "true" : "false")}");
        return $"{{addresses: [\"{(v6 ? endpoint.Pod.V6 : endpoint.Pod.V4)}\"], nodeName: {endpoint.Pod.Node}, "
            + $"conditions: {{{string.Join(", ", conditions)}}}}}";
    }

    private static string Quoted(IEnumerable<string> texts) => string.Join(", ", texts.Select(text => $"\"{text}\""));
}
