// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Api.Wire;

/// <summary>The defects of one list: the first ones in words, the rest counted.</summary>
internal sealed class DefectList
{
    private readonly List<string> _told = [];
    private int _count;

    /// <exception cref="WireException">There are too many of them for a list of an API server.</exception>
    public void Add(string defect)
    {
        if (++_count > WireLimits.MaxDefects)
            throw new WireException($"more than {WireLimits.MaxDefects} objects of one list cannot be read; the first: {_told[0]}");

        if (_told.Count < WireLimits.MaxDefectsTold)
            _told.Add(defect);
    }

    public IReadOnlyList<string> ToSentences() =>
        _count == _told.Count ? _told : [.. _told, $"{_count - _told.Count} more objects of the list have defects"];
}
