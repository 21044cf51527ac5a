// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;

namespace EbpfLb.Kubernetes.Tests.Api.Support;

/// <summary>What a server says, in JSON.</summary>
internal static class ApiText
{
    /// <param name="address">Also tells versions of a service apart.</param>
    public static string Service(string name, int version, string address = "10.96.0.10", string? uid = null, string spec = "") =>
        $"{Head("v1", "Service", name, version, uid)},\"spec\":{{\"clusterIP\":\"{address}\",\"ports\":[{{\"port\":80}}]{spec}}}}}";

    public static string Slice(string name, string service, int version, params string[] addresses) =>
        Head("discovery.k8s.io/v1", "EndpointSlice", name, version, null,
            ",\"labels\":{\"kubernetes.io/service-name\":\"" + service + "\"}")
        + ",\"addressType\":\"IPv4\",\"ports\":[{\"port\":8080}],\"endpoints\":["
        + string.Join(',', addresses.Select(address => $"{{\"addresses\":[\"{address}\"]}}")) + "]}";

    public static string Node(string name, int version, string? zone = null)
    {
        string labels = zone is null ? "" : $",\"labels\":{{\"topology.kubernetes.io/zone\":\"{zone}\"}}";
        return $"{{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{{\"name\":\"{name}\",\"uid\":\"{name}-1\","
            + $"\"resourceVersion\":\"{version}\"{labels}}}}}";
    }

    public static string Cidr(string name, int version, string prefix) =>
        $"{{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"ServiceCIDR\",\"metadata\":{{\"name\":\"{name}\",\"uid\":\"{name}-1\","
        + $"\"resourceVersion\":\"{version}\"}},\"spec\":{{\"cidrs\":[\"{prefix}\"]}}}}";

    public static string Added(string item) => Event("ADDED", item);

    public static string Modified(string item) => Event("MODIFIED", item);

    public static string Deleted(string item) => Event("DELETED", item);

    public static string Event(string type, string item) => $"{{\"type\":\"{type}\",\"object\":{item}}}\n";

    public static string Bookmark(int version, bool isEnd = false)
    {
        string annotations = isEnd ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "";
        return Event("BOOKMARK", "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"resourceVersion\":\""
            + version.ToString(CultureInfo.InvariantCulture) + "\"" + annotations + "}}");
    }

    public static string Error(int code, string reason, string message) => Event("ERROR", Status(code, reason, message));

    public static string Status(int code, string reason, string message) =>
        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":\"" + message
        + "\",\"reason\":\"" + reason + "\",\"code\":" + code.ToString(CultureInfo.InvariantCulture) + "}";

    /// <param name="kind">Of the items: <c>Service</c>.</param>
    public static string List(string kind, int version, string? next, params string[] items)
    {
        string apiVersion = kind switch
        {
            "EndpointSlice" => "discovery.k8s.io/v1",
            "ServiceCIDR" => "networking.k8s.io/v1",
            _ => "v1",
        };
        return $"{{\"kind\":\"{kind}List\",\"apiVersion\":\"{apiVersion}\",\"metadata\":{{\"resourceVersion\":\"{version}\""
            + (next is null ? "" : $",\"continue\":\"{next}\"") + "},\"items\":[" + string.Join(',', items) + "]}";
    }

    private static string Head(string apiVersion, string kind, string name, int version, string? uid, string more = "") =>
        $"{{\"apiVersion\":\"{apiVersion}\",\"kind\":\"{kind}\",\"metadata\":{{\"name\":\"{name}\",\"namespace\":\"default\","
        + $"\"uid\":\"{uid ?? name + "-1"}\",\"resourceVersion\":\"{version}\"{more}}}";
}
