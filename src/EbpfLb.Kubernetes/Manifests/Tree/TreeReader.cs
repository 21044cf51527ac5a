// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Manifests.Tree;

/// <summary>
/// Documents as trees. The <c>items</c> of a document are handed over one by one as they are read, so that a list of ten thousand
/// objects never exists as one tree.
/// </summary>
internal sealed class TreeReader(EventReader events, ManifestLimits limits)
{
    private const string MergeKey = "<<";

    private readonly Dictionary<string, ManifestNode> _anchors = new(StringComparer.Ordinal);
    private int _nodesLeft;
    private int _depth;

    /// <param name="onItem">
    /// Takes an item of the document's <c>items</c> and the document as far as it is read; returns false for an item that cannot be
    /// judged before the document ends. Such an item stays in the tree, and counts against its limit.
    /// </param>
    /// <returns>The root, or null at the end of the file.</returns>
    public ManifestNode? ReadDocument(Func<ManifestMapping, ManifestNode, bool> onItem)
    {
        if (!events.Read())
            return null;

        // Documents start, and hold exactly one root: both readers guarantee it.
        _anchors.Clear();
        _nodesLeft = limits.MaxNodesPerObject;
        Next();
        var root = events.Kind == EventKind.MappingStart ? ReadMapping(onItem) : ReadNode();
        Next();
        return root;
    }

    private void Next()
    {
        if (!events.Read())
            throw new ManifestSyntaxException(events.Line, "the document ends before it is complete");
    }

    private ManifestNode ReadNode()
    {
        switch (events.Kind)
        {
            case EventKind.Scalar:
                return Anchored(events.Anchor, NewScalar());
            case EventKind.SequenceStart:
                return ReadSequence(null);
            case EventKind.MappingStart:
                return ReadMapping(null);
            case EventKind.Alias:
                if (!_anchors.TryGetValue(events.Anchor!, out var node))
                    throw Error($"the alias *{PrintableText.Escape(events.Anchor!)} names no anchor that is complete before it");

                Spend(node.Weight);
                return node;
            default:
                throw Error("a value is expected here");
        }
    }

    private ManifestScalar NewScalar()
    {
        Spend(1);
        return new ManifestScalar(events.Line, events.Column, events.Text, events.ScalarKind);
    }

    private ManifestSequence ReadSequence(Func<ManifestNode, bool>? onItem)
    {
        string? anchor = events.Anchor;
        var sequence = new ManifestSequence(events.Line, events.Column);
        Enter();
        for (Next(); events.Kind != EventKind.SequenceEnd; Next())
        {
            int before = _nodesLeft;
            if (onItem is not null)
                _nodesLeft = limits.MaxNodesPerObject;
            var item = ReadNode();
            if (onItem is null || !onItem(item))
                sequence.Add(item);
            if (onItem is not null)
                _nodesLeft = sequence.Weight <= limits.MaxNodesPerObject ? before : -1;
            Spend(0);
        }

        Leave();
        return Anchored(anchor, sequence);
    }

    private ManifestMapping ReadMapping(Func<ManifestMapping, ManifestNode, bool>? onItem)
    {
        string? anchor = events.Anchor;
        var mapping = new ManifestMapping(events.Line, events.Column);
        var merges = new List<ManifestNode>(0);
        Enter();
        for (Next(); events.Kind != EventKind.MappingEnd; Next())
        {
            if (events.Kind != EventKind.Scalar)
                throw Error("the key of a mapping must be a string");

            string key = events.Text;
            int keyLine = events.Line;
            Spend(1);
            Next();
            var value = onItem is not null && key == "items" && events.Kind == EventKind.SequenceStart
                ? ReadSequence(item => onItem(mapping, item))
                : ReadNode();
            if (key == MergeKey)
                merges.Add(value);
            else if (mapping.ContainsKey(key))
                throw new ManifestSyntaxException(keyLine, $"the key {PrintableText.Quote(key)} appears twice in one mapping");
            else
                mapping.Add(key, value);
        }

        Leave();
        foreach (var merge in merges)
            Merge(mapping, merge);
        return Anchored(anchor, mapping);
    }

    /// <summary>YAML's <c>&lt;&lt;: *defaults</c>: keys that the mapping itself has, or an earlier source gave it, stay.</summary>
    private void Merge(ManifestMapping mapping, ManifestNode source)
    {
        switch (source)
        {
            case ManifestMapping from:
                foreach (var (key, value) in from.Entries)
                {
                    if (mapping.ContainsKey(key))
                        continue;

                    Spend(value.Weight);
                    mapping.Add(key, value);
                }

                break;
            case ManifestSequence list when list.Items.All(item => item is ManifestMapping):
                foreach (var item in list.Items)
                    Merge(mapping, item);
                break;
            default:
                throw new ManifestSyntaxException(source.Line, $"'{MergeKey}' needs a mapping or a list of mappings");
        }
    }

    private T Anchored<T>(string? anchor, T node)
        where T : ManifestNode
    {
        if (anchor is not null)
            _anchors[anchor] = node;
        return node;
    }

    private void Enter()
    {
        Spend(1);
        if (++_depth > limits.MaxDepth)
            throw Error($"lists and mappings are nested deeper than {limits.MaxDepth} levels");
    }

    private void Leave() => _depth--;

    private void Spend(int nodes)
    {
        _nodesLeft -= nodes;
        if (_nodesLeft < 0)
        {
            throw Error($"one object has more than {limits.MaxNodesPerObject} values (YAML aliases counted as often as they are used); "
                + "split it");
        }
    }

    private ManifestSyntaxException Error(string message) => new(events.Line, message);
}
