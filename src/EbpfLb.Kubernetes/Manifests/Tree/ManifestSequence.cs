// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Manifests.Tree;

internal sealed class ManifestSequence(int line, int column) : ManifestNode(line, column)
{
    private readonly List<ManifestNode> _items = [];

    public IReadOnlyList<ManifestNode> Items => _items;

    public override string Description => "a list";

    public void Add(ManifestNode item)
    {
        _items.Add(item);
        Weight += item.Weight;
    }
}
