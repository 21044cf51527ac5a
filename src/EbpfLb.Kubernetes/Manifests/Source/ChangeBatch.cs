// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;

namespace EbpfLb.Kubernetes.Manifests.Source;

/// <summary>
/// What one look at some files changes. Remembers each touched object as it was before, so that an object that moves from one file to
/// another in the same look is no change at all.
/// </summary>
internal sealed class ChangeBatch
{
    private readonly Dictionary<ObjectKey, ManifestObject?> _before = [];

    /// <summary>Which objects stand in several files may be different now.</summary>
    public bool ContestsChanged { get; set; }

    public bool ProblemsChanged { get; set; }

    /// <summary>To be called before the object in force becomes another one. Only the first call for an object counts.</summary>
    public void Touch(ObjectKey key, ManifestObject? before) => _before.TryAdd(key, before);

    /// <returns>Null when nothing that is served is different from before.</returns>
    public ClusterChange? Build(ObjectOwners owners, string? nodeName)
    {
        var upsertedServices = new List<Service>();
        var removedServices = new List<ObjectName>();
        var upsertedSlices = new List<EndpointSlice>();
        var removedSlices = new List<ObjectName>();
        var upsertedCidrs = new List<ServiceCidr>();
        var removedCidrs = new List<ObjectName>();
        NodeChange? node = null;
        foreach (var (key, before) in _before)
        {
            var after = owners.Find(key);
            switch (key.Kind)
            {
                case ObjectKind.Service:
                    Sort(key.Name, before?.Service, after?.Service, upsertedServices, removedServices);
                    break;
                case ObjectKind.EndpointSlice:
                    Sort(key.Name, before?.Slice, after?.Slice, upsertedSlices, removedSlices);
                    break;
                case ObjectKind.ServiceCIDR:
                    Sort(key.Name, before?.ServiceCidr, after?.ServiceCidr, upsertedCidrs, removedCidrs);
                    break;
                case ObjectKind.Node when key.Name.Name == nodeName && before?.Node != after?.Node:
                    node = new NodeChange(after?.Node);
                    break;
            }
        }

        if (upsertedServices.Count + removedServices.Count + upsertedSlices.Count + removedSlices.Count
            + upsertedCidrs.Count + removedCidrs.Count == 0 && node is null)
            return null;

        return new ClusterChange
        {
            UpsertedServices = upsertedServices,
            RemovedServices = removedServices,
            UpsertedSlices = upsertedSlices,
            RemovedSlices = removedSlices,
            UpsertedServiceCidrs = upsertedCidrs,
            RemovedServiceCidrs = [.. removedCidrs.Select(static name => name.Name)],
            Node = node,
        };
    }

    private static void Sort<T>(ObjectName name, T? before, T? after, List<T> upserted, List<ObjectName> removed)
        where T : class, IEquatable<T>
    {
        if (after is null)
        {
            if (before is not null)
                removed.Add(name);
        }
        else if (!after.Equals(before))
        {
            upserted.Add(after);
        }
    }
}
