// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json;

namespace EbpfLb.Linux.Processes;

/// <summary>The one external tool. Every method throws <see cref="BpftoolException"/> when it does not do what it was asked.</summary>
public interface IBpftool
{
    /// <summary>"v7.1.0".</summary>
    Task<string> VersionAsync(CancellationToken stopping);

    /// <summary>Loads every program of an object and pins each under its name.</summary>
    /// <param name="objectPath">The compiled object.</param>
    /// <param name="programDirectory">On a BPF file system; created if absent, its parent not.</param>
    /// <param name="pinnedMaps">
    /// Maps to use instead of new ones: the name in the object, and where the live map is pinned. bpftool takes a live map as it is, whatever
    /// its type and sizes: to compare them with the object's is up to the caller.
    /// </param>
    /// <param name="pinMapsDirectory">Where maps are pinned under their names; null: not at all.</param>
    Task LoadAllAsync(
        string objectPath,
        string programDirectory,
        IReadOnlyDictionary<string, string> pinnedMaps,
        string? pinMapsDirectory,
        CancellationToken stopping);

    /// <summary>The types of an object: {"types": [...]}, as bpftool writes them.</summary>
    Task<JsonDocument> DumpBtfAsync(string objectPath, CancellationToken stopping);
}
