// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text;

namespace EbpfLb.Bench.Workload;

/// <summary>
/// Services of equal shape, as the API would print them: every address is another one, and nothing is random, so that two runs program
/// the same entries.
/// </summary>
internal sealed record Cluster(int Services, int Endpoints)
{
    public const string Namespace = "bench";
    public const int Port = 80;
    public const int TargetPort = 8080;

    private const int Nodes = 100;

    public static string ServiceName(int service) => string.Create(CultureInfo.InvariantCulture, $"service-{service:00000}");

    public static string ClusterIP(int service) => string.Create(CultureInfo.InvariantCulture,
        $"10.96.{service / 250}.{service % 250 + 1}");

    /// <param name="manifest">Gets a Service and its EndpointSlice, two documents.</param>
    /// <param name="service">From 0.</param>
    /// <param name="generation">0, or a number of which each gives the first endpoint another address and leaves the rest as it is.</param>
    public void Write(StringBuilder manifest, int service, int generation)
    {
        string name = ServiceName(service);
        manifest.Append(CultureInfo.InvariantCulture,
            $"""
            ---
            apiVersion: v1
            kind: Service
            metadata:
              name: {name}
              namespace: {Namespace}
              labels:
                app: {name}
              creationTimestamp: "2025-01-01T00:00:00Z"
            spec:
              type: ClusterIP
              clusterIP: {ClusterIP(service)}
              clusterIPs:
              - {ClusterIP(service)}
              ipFamilies:
              - IPv4
              internalTrafficPolicy: Cluster
              sessionAffinity: None
              selector:
                app: {name}
              ports:
              - name: http
                protocol: TCP
                port: {Port}
                targetPort: {TargetPort}
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata:
              name: {name}-slice
              namespace: {Namespace}
              labels:
                kubernetes.io/service-name: {name}
            addressType: IPv4
            ports:
            - name: http
              protocol: TCP
              port: {TargetPort}
            endpoints:

            """);
        for (int endpoint = 0; endpoint < Endpoints; endpoint++)
        {
            int number = service * Endpoints + endpoint;
            manifest.Append(CultureInfo.InvariantCulture,
                $$"""
                - addresses:
                  - {{(endpoint == 0 && generation > 0 ? ChangedAddress(generation) : EndpointAddress(number))}}
                  conditions:
                    ready: true
                    serving: true
                    terminating: false
                  nodeName: node-{{number % Nodes:00}}
                  zone: zone-{{number % 3}}
                  targetRef:
                    kind: Pod
                    namespace: {{Namespace}}
                    name: {{name}}-{{endpoint:00}}

                """);
        }
    }

    /// <summary>The address that the first endpoint of a service gets by this generation, from 1 on.</summary>
    public static string ChangedAddress(int generation) => string.Create(CultureInfo.InvariantCulture,
        $"10.{210 + (generation >> 16)}.{(generation >> 8) & 255}.{generation & 255}");

    private static string EndpointAddress(int number) => string.Create(CultureInfo.InvariantCulture,
        $"10.{200 + (number >> 16)}.{(number >> 8) & 255}.{number & 255}");
}
