// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Objects;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Translation;

public static class ServiceCidrTranslation
{
    /// <returns>As far as it is right. Null when the object has no usable name; the problems say so.</returns>
    public static ServiceCidr? Translate(ServiceCidrObject cidr, ProblemList problems)
    {
        ArgumentNullException.ThrowIfNull(cidr);
        ArgumentNullException.ThrowIfNull(problems);
        var prefixes = new List<AddressPrefix>();
        var texts = cidr.Cidrs ?? [];
        if (texts.Count == 0)
            problems.Invalid("spec.cidrs", "is required");
        for (int i = 0; i < texts.Count; i++)
        {
            string path = $"spec.cidrs[{i}]";
            if (!FieldRules.TryGetPrefix(texts[i], path, problems, out var prefix))
                continue;

            // What is in a service CIDR and no service's is dropped.
            if (prefix.Length == 0)
                problems.Invalid(path, $"{prefix} is every address there is; a service CIDR is a network of its own");
            else if (prefix.HoldsMapped)
                problems.Invalid(path, $"{prefix} holds the mapped form of every IPv4 address; a service CIDR is a network of its own");
            else
                prefixes.Add(prefix);
        }

        return FieldRules.TryGetClusterName(cidr.Metadata, problems, out string? name)
            ? new ServiceCidr(name, prefixes.ToEquatableArray())
            : null;
    }
}
