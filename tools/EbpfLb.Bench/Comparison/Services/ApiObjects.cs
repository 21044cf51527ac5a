// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;

namespace EbpfLb.Bench.Comparison.Services;

/// <summary>The services as an API server has them.</summary>
internal static class ApiObjects
{
    /// <summary>Of one service; there is one slice for each.</summary>
    public static string SliceName(ComparedService service) => $"{service.Name}-slice";

    /// <summary>All of a cluster, one document each.</summary>
    public static void Write(ComparedCluster cluster, TextWriter file)
    {
        foreach (var service in cluster.Services)
        {
            WriteDocument(Service(service));
            WriteDocument(Slice(service));
        }

        WriteDocument(new JsonObject
        {
            ["apiVersion"] = "networking.k8s.io/v1",
            ["kind"] = "ServiceCIDR",
            ["metadata"] = new JsonObject { ["name"] = "kubernetes" },
            ["spec"] = new JsonObject { ["cidrs"] = new JsonArray(ComparedCluster.ServiceNetwork) },
        });

        void WriteDocument(JsonObject document)
        {
            file.WriteLine("---");
            file.WriteLine(document.ToJsonString());
        }
    }

    public static JsonObject Slice(ComparedService service) => new()
    {
        ["apiVersion"] = "discovery.k8s.io/v1",
        ["kind"] = "EndpointSlice",
        ["metadata"] = new JsonObject
        {
            ["name"] = SliceName(service),
            ["namespace"] = ComparedService.Namespace,
            ["labels"] = new JsonObject { ["kubernetes.io/service-name"] = service.Name },
        },
        ["addressType"] = "IPv4",
        ["ports"] = ArrayOf(service.Ports.Select(port => new JsonObject
        {
            ["name"] = port.Name,
            ["protocol"] = port.Protocol.ToUpperInvariant(),
            ["port"] = service.Endpoints[0].Port,
        })),
        ["endpoints"] = ArrayOf(service.Endpoints.Select(endpoint => new JsonObject
        {
            ["addresses"] = new JsonArray(endpoint.Address),
            ["nodeName"] = endpoint.Node,
            ["conditions"] = new JsonObject { ["ready"] = true, ["serving"] = true, ["terminating"] = false },
        })),
    };

    private static JsonObject Service(ComparedService service)
    {
        var json = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Service",
            ["metadata"] = new JsonObject { ["name"] = service.Name, ["namespace"] = ComparedService.Namespace },
            ["spec"] = new JsonObject
            {
                ["type"] = service.LoadBalancer is not null ? "LoadBalancer" : service.IsExternal ? "NodePort" : "ClusterIP",
                ["clusterIP"] = service.ClusterIP,
                ["clusterIPs"] = new JsonArray(service.ClusterIP),
                ["ipFamilies"] = new JsonArray("IPv4"),
                ["ports"] = ArrayOf(service.Ports.Select(port => Port(service, port))),
            },
        };
        if (service.LoadBalancer is { } address)
        {
            json["status"] = new JsonObject
            {
                ["loadBalancer"] = new JsonObject { ["ingress"] = new JsonArray(new JsonObject { ["ip"] = address }) },
            };
        }

        return json;
    }

    private static JsonObject Port(ComparedService service, ComparedPort port)
    {
        var json = new JsonObject
        {
            ["name"] = port.Name,
            ["protocol"] = port.Protocol.ToUpperInvariant(),
            ["port"] = port.Port,
            ["targetPort"] = service.Endpoints[0].Port,
        };
        if (port.NodePort is { } nodePort)
            json["nodePort"] = nodePort;
        return json;
    }

    private static JsonArray ArrayOf(IEnumerable<JsonObject> objects) => [.. objects];
}
