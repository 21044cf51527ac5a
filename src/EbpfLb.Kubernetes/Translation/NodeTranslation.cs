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
        if (!FieldRules.TryGetNodeName(node.Metadata, problems, out string? name))
            return null;

        string? zone = node.Metadata.Label(WellKnown.ZoneLabel);
        return new Node(name, string.IsNullOrEmpty(zone) ? null : zone);
    }
}
