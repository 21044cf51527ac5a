// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;

namespace EbpfLb.Kubernetes.Manifests.Tree;

/// <summary>
/// The way between a node and its field path (<c>spec.ports[0].port</c>, <c>metadata.labels[kubernetes.io/service-name]</c>). Both
/// directions walk the tree, and only when something is wrong: a file without problems never pays for paths.
/// </summary>
internal static class FieldPaths
{
    /// <returns>The first path that leads from the root to the node; empty for the root.</returns>
    public static string PathOf(ManifestNode root, ManifestNode node)
    {
        var steps = new List<string>();
        if (!Search(root, node, steps))
            throw new ArgumentException("The node is not below the root.", nameof(node));

        return string.Concat(steps);
    }

    /// <returns>The node at the path, or the deepest one on the way to it.</returns>
    public static ManifestNode Find(ManifestNode root, string path)
    {
        var node = root;
        var rest = path.AsSpan();
        while (!rest.IsEmpty)
        {
            var step = TakeStep(ref rest);
            var next = node switch
            {
                ManifestMapping mapping => mapping.Find(step.ToString()),
                ManifestSequence sequence when int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out int index)
                    && index < sequence.Items.Count => sequence.Items[index],
                _ => null,
            };
            if (next is null)
                break;

            node = next;
        }

        return node;
    }

    private static ReadOnlySpan<char> TakeStep(ref ReadOnlySpan<char> rest)
    {
        bool bracketed = rest[0] == '[';
        if (bracketed || rest[0] == '.')
            rest = rest[1..];
        int end = bracketed ? rest.IndexOf(']') : rest.IndexOfAny('.', '[');
        if (end < 0)
            end = rest.Length;
        var step = rest[..end];
        rest = rest[Math.Min(rest.Length, bracketed ? end + 1 : end)..];
        return step;
    }

    private static bool Search(ManifestNode current, ManifestNode wanted, List<string> steps)
    {
        if (ReferenceEquals(current, wanted))
            return true;

        if (current is ManifestMapping mapping)
        {
            foreach (var (key, value) in mapping.Entries)
            {
                if (value is ManifestScalar && !ReferenceEquals(value, wanted))
                    continue;

                steps.Add(key.AsSpan().ContainsAny("./[]") ? $"[{key}]" : steps.Count == 0 ? key : $".{key}");
                if (Search(value, wanted, steps))
                    return true;

                steps.RemoveAt(steps.Count - 1);
            }
        }
        else if (current is ManifestSequence sequence)
        {
            for (int i = 0; i < sequence.Items.Count; i++)
            {
                if (sequence.Items[i] is ManifestScalar && !ReferenceEquals(sequence.Items[i], wanted))
                    continue;

                steps.Add($"[{i}]");
                if (Search(sequence.Items[i], wanted, steps))
                    return true;

                steps.RemoveAt(steps.Count - 1);
            }
        }

        return false;
    }
}
