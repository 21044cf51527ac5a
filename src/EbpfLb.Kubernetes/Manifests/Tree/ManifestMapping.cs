// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Manifests.Tree;

internal sealed class ManifestMapping(int line, int column) : ManifestNode(line, column)
{
    // Most mappings have a handful of keys, for which a walk is faster than a hash and much smaller.
    private const int IndexFrom = 12;

    private readonly List<KeyValuePair<string, ManifestNode>> _entries = [];
    private HashSet<string>? _index;

    public IReadOnlyList<KeyValuePair<string, ManifestNode>> Entries => _entries;

    public override string Description => "a mapping";

    /// <summary>Null when there is no such key.</summary>
    public ManifestNode? Find(string key)
    {
        foreach (var (name, value) in _entries)
        {
            if (name == key)
                return value;
        }

        return null;
    }

    public bool ContainsKey(string key) => _index?.Contains(key) ?? Find(key) is not null;

    /// <summary>The key must be new.</summary>
    public void Add(string key, ManifestNode value)
    {
        _entries.Add(new KeyValuePair<string, ManifestNode>(key, value));
        Weight += value.Weight;
        if (_index is not null)
            _index.Add(key);
        else if (_entries.Count == IndexFrom)
            _index = new HashSet<string>(_entries.Select(entry => entry.Key), StringComparer.Ordinal);
    }
}
