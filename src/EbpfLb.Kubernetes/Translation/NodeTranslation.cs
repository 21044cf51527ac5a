// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Objects;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Translation;

public static class NodeTranslation
{
    /// <returns>Null when the object has no usable name; the problems say so.</returns>
    public static Node? Translate(NodeObject node, ProblemList problems)
    {
        ArgumentNullException.ThrowIfNull(node);
        ArgumentNullException.ThrowIfNull(problems);
        var addresses = TranslateAddresses(node.Addresses ?? [], problems);
        var podCidrs = TranslatePodCidrs(node, problems);
        if (!FieldRules.TryGetClusterName(node.Metadata, problems, out string? name))
            return null;

        string? zone = node.Metadata.Label(WellKnown.ZoneLabel);
        return new Node(name, string.IsNullOrEmpty(zone) ? null : zone)
        {
            Addresses = addresses,
            PodCidrs = podCidrs,
            IsGoing = node.Metadata!.DeletionTimestamp is not null || node.TaintKeys?.Contains(WellKnown.ToBeDeletedTaint) == true,
        };
    }

    private static EquatableArray<Address> TranslateAddresses(IReadOnlyList<NodeAddress> specs, ProblemList problems)
    {
        var addresses = new List<Address>(specs.Count);
        for (int i = 0; i < specs.Count; i++)
        {
            // The other types are names.
            if (specs[i].Type is not ("InternalIP" or "ExternalIP"))
                continue;

            if (Address.TryParse(specs[i].Address, out var address))
                addresses.Add(address);
            else
                problems.Invalid($"status.addresses[{i}].address", $"{PrintableText.Quote(specs[i].Address ?? "")} is not an IP address");
        }

        return addresses.ToEquatableArray();
    }

    private static EquatableArray<AddressPrefix> TranslatePodCidrs(NodeObject node, ProblemList problems)
    {
        if (node.PodCidrs is not { Count: > 0 } texts)
        {
            return !string.IsNullOrEmpty(node.PodCidr) && FieldRules.TryGetPrefix(node.PodCidr, "spec.podCIDR", problems, out var only)
                ? [only]
                : default;
        }

        var prefixes = new List<AddressPrefix>(texts.Count);
        for (int i = 0; i < texts.Count; i++)
        {
            if (FieldRules.TryGetPrefix(texts[i], $"spec.podCIDRs[{i}]", problems, out var prefix))
                prefixes.Add(prefix);
        }

        return prefixes.ToEquatableArray();
    }
}
