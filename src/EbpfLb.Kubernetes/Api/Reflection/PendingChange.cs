// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;

namespace EbpfLb.Kubernetes.Api.Reflection;

/// <summary>What becomes visible at once: of each object the last word, and whether the one of this name before it went.</summary>
internal sealed class PendingChange
{
    private readonly Dictionary<ObjectName, (bool Removed, object? Model)> _objects = [];

    public bool IsEmpty => _objects.Count == 0;

    public void Upsert(ObjectName name, object model) =>
        _objects[name] = (_objects.GetValueOrDefault(name).Removed, model);

    public void Remove(ObjectName name) => _objects[name] = (true, null);

    /// <summary>Empties it.</summary>
    public ClusterChange Take(ResourceKind kind)
    {
        ObjectName[] removed = [.. _objects.Where(entry => entry.Value.Removed).Select(entry => entry.Key)];
        var models = _objects.Values.Select(entry => entry.Model);
        var change = kind switch
        {
            ResourceKind.Service => new ClusterChange
            {
                UpsertedServices = [.. models.OfType<Service>()],
                RemovedServices = removed,
            },
            ResourceKind.EndpointSlice => new ClusterChange
            {
                UpsertedSlices = [.. models.OfType<EndpointSlice>()],
                RemovedSlices = removed,
            },
            ResourceKind.ServiceCidr => new ClusterChange
            {
                UpsertedServiceCidrs = [.. models.OfType<ServiceCidr>()],
                RemovedServiceCidrs = [.. removed.Select(name => name.Name)],
            },
            _ => new ClusterChange { Node = new NodeChange(models.OfType<Node>().SingleOrDefault()) },
        };
        _objects.Clear();
        return change;
    }
}
