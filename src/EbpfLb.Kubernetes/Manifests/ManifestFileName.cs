// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Manifests;

/// <summary>Which names in a directory are manifests.</summary>
public static class ManifestFileName
{
    /// <summary>
    /// .yaml, .yml and .json; not hidden ones, and not what editors and mounted ConfigMaps leave beside them (.x.swp, #x#, ~$x, ..data).
    /// </summary>
    public static bool IsManifest(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Length > 0 && name[0] is not ('.' or '#' or '~')
            && (IsJson(name) || HasEnding(name, ".yaml") || HasEnding(name, ".yml"));
    }

    /// <summary>
    /// The names with which a mounted ConfigMap is exchanged as a whole: the visible files are links through <c>..data</c>, and that
    /// link is replaced. No manifest itself changes when it does.
    /// </summary>
    public static bool IsVolumeInternal(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.StartsWith("..", StringComparison.Ordinal);
    }

    internal static bool IsJson(string name) => HasEnding(name, ".json");

    private static bool HasEnding(string name, string ending) => name.EndsWith(ending, StringComparison.OrdinalIgnoreCase);
}
