// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text;
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Inspection;

/// <summary>
/// The maps as canonical text: one service per paragraph, then what concerns all of them; ids left out, so that two nodes with the same
/// services print the same.
/// </summary>
public static class MapText
{
    public static string Write(DatapathSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        var text = new StringBuilder();
        foreach (var service in snapshot.Services)
            Write(text, service);
        if (!snapshot.NodePorts.IsEmpty)
            text.Append(CultureInfo.InvariantCulture, $"node ports {snapshot.NodePorts.First} to {snapshot.NodePorts.Last}\n");
        foreach (var cidr in snapshot.ServiceCidrs)
            text.Append(CultureInfo.InvariantCulture, $"service CIDR {cidr}\n");
        return text.ToString();
    }

    private static void Write(StringBuilder text, ServiceView service)
    {
        text.Append(CultureInfo.InvariantCulture, $"{service.Name} {service.Protocol.ToApiName()} {service.Family}");
        if (service.Algorithm != Algorithm.Random)
        {
            text.Append(CultureInfo.InvariantCulture, $" {service.Algorithm.ToString().ToLowerInvariant()}");
            text.Append(CultureInfo.InvariantCulture, $"={Math.Max(service.ClusterSlots.Count, service.LocalSlots.Count)}");
        }

        if (service.AffinityTimeoutSeconds > 0)
            text.Append(CultureInfo.InvariantCulture, $" affinity={service.AffinityTimeoutSeconds}s");
        if (service.Flags.HasFlag(ServiceFlags.InternalLocal))
            text.Append(" internal=local");
        if (service.Flags.HasFlag(ServiceFlags.ExternalLocal))
            text.Append(" external=local");
        if (service.Flags.HasFlag(ServiceFlags.HasEndpoints) && service.Cluster.Count == 0 && service.Local.Count == 0)
            text.Append(" endpoints=elsewhere");
        text.Append('\n');

        foreach (var frontend in service.Frontends)
            text.Append(CultureInfo.InvariantCulture, $"  frontend {frontend.Address}{Kinds(frontend.Flags)}\n");
        foreach (var range in service.SourceRanges)
            text.Append(CultureInfo.InvariantCulture, $"  admits {range}\n");
        if (service.Flags.HasFlag(ServiceFlags.AdmitsNode))
            text.Append("  admits this node\n");
        if (service.Flags.HasFlag(ServiceFlags.AdmitsPods))
            text.Append("  admits its pods\n");
        Write(text, "cluster", service.Cluster);
        Write(text, "local", service.Local);
    }

    // A plain cluster IP needs no word.
    private static string Kinds(FrontendFlags flags) => flags == FrontendFlags.ClusterIP ? "" : string.Concat(
    [
        flags.HasFlag(FrontendFlags.ClusterIP) ? " cluster-ip" : "",
        flags.HasFlag(FrontendFlags.NodePort) ? " node-port" : "",
        flags.HasFlag(FrontendFlags.LoadBalancer) ? " load-balancer" : "",
        flags.HasFlag(FrontendFlags.ExternalIP) ? " external-ip" : "",
    ]);

    private static void Write(StringBuilder text, string list, IReadOnlyList<BackendView> backends)
    {
        foreach (var backend in backends)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {list} {backend.Endpoint}");
            if (backend.Flags.HasFlag(BackendFlags.OnNode))
                text.Append(" on-node");
            if (backend.Flags.HasFlag(BackendFlags.Terminating))
                text.Append(" terminating");
            text.Append('\n');
        }
    }
}
