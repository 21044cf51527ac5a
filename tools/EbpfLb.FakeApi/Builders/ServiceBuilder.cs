// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using EbpfLb.FakeApi.Store;

namespace EbpfLb.FakeApi.Builders;

public sealed class ServiceBuilder : ObjectBuilder<ServiceBuilder>
{
    private readonly JsonObject _spec;

    internal ServiceBuilder(string @namespace, string name) : base(ResourceType.Services, @namespace, name)
    {
        _spec = ObjectIn(Json, "spec");
        _spec["type"] = "ClusterIP";
        _spec["sessionAffinity"] = "None";
        _spec["internalTrafficPolicy"] = "Cluster";
        Json["status"] = new JsonObject { ["loadBalancer"] = new JsonObject() };
    }

    /// <summary>None makes it headless.</summary>
    public ServiceBuilder ClusterIP(params string[] addresses) => With(() =>
    {
        _spec["clusterIP"] = addresses[0];
        _spec["clusterIPs"] = ListOf(addresses);
    });

    public ServiceBuilder OfType(string type) => With(() => _spec["type"] = type);

    public ServiceBuilder Port(int port, string? name = null, string protocol = "TCP", int? nodePort = null) => With(() =>
    {
        var entry = new JsonObject { ["protocol"] = protocol, ["port"] = port, ["targetPort"] = port };
        if (name is not null)
            entry["name"] = name;
        if (nodePort is not null)
            entry["nodePort"] = nodePort;
        ListIn(_spec, "ports").Add(entry);
    });

    public ServiceBuilder ExternalIP(params string[] addresses) => With(() => _spec["externalIPs"] = ListOf(addresses));

    public ServiceBuilder SourceRange(params string[] ranges) => With(() => _spec["loadBalancerSourceRanges"] = ListOf(ranges));

    public ServiceBuilder ExternalPolicy(string policy) => With(() => _spec["externalTrafficPolicy"] = policy);

    public ServiceBuilder InternalPolicy(string policy) => With(() => _spec["internalTrafficPolicy"] = policy);

    public ServiceBuilder HealthCheckNodePort(int port) => With(() => _spec["healthCheckNodePort"] = port);

    public ServiceBuilder Affinity(int timeoutSeconds = 10800) => With(() =>
    {
        _spec["sessionAffinity"] = "ClientIP";
        _spec["sessionAffinityConfig"] = new JsonObject { ["clientIP"] = new JsonObject { ["timeoutSeconds"] = timeoutSeconds } };
    });

    public ServiceBuilder Ingress(string address, string? mode = "VIP") => With(() =>
    {
        var entry = new JsonObject { ["ip"] = address };
        if (mode is not null)
            entry["ipMode"] = mode;
        ListIn(ObjectIn(ObjectIn(Json, "status"), "loadBalancer"), "ingress").Add(entry);
    });
}
