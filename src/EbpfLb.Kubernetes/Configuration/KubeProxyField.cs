// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Manifests.Tree;

namespace EbpfLb.Kubernetes.Configuration;

/// <summary>One setting of kube-proxy: a field of its file, and the flag of the same meaning.</summary>
public sealed class KubeProxyField
{
    private readonly ValueKind _kind;
    private readonly Func<KubeProxyConfiguration, object, KubeProxyConfiguration>? _set;

    internal KubeProxyField(string path, ValueKind kind, Func<KubeProxyConfiguration, object, KubeProxyConfiguration>? set)
    {
        Path = path;
        _kind = kind;
        _set = set;
        IsPassedOver = set is null;
    }

    public string Path { get; }

    /// <summary>As in "this is not ...".</summary>
    public string Expected => _kind.Expected;

    /// <summary>It means nothing here, and whoever sets it is told so.</summary>
    public bool IsPassedOver { get; internal init; }

    /// <summary>In the file, zero is a value of its own, and null is none. Of other fields zero is none.</summary>
    internal bool TakesZero { get; init; }

    /// <summary>The value that asks for nothing else than what is done anyway.</summary>
    internal object? Natural { get; init; }

    /// <summary>Takes what was typed.</summary>
    /// <param name="saysNothing">It asks for what is so anyway.</param>
    /// <returns>Null: this is not what is <see cref="Expected"/>.</returns>
    public KubeProxyConfiguration? Apply(KubeProxyConfiguration configuration, string text, out bool saysNothing)
    {
        ArgumentNullException.ThrowIfNull(text);
        object? value = _kind.Parse(text);
        saysNothing = value is not null && SaysNothing(value);
        return value is null ? null : Set(configuration, value);
    }

    internal KubeProxyConfiguration Apply(
        KubeProxyConfiguration configuration, ManifestNode node, Action<ManifestNode, string> refuse, out bool saysNothing)
    {
        saysNothing = true;
        if (node.IsNull || _kind.Read(node, refuse) is not { } value)
            return configuration;

        saysNothing = SaysNothing(value);
        return !TakesZero && (IsZero(value) || node is ManifestScalar { Text: "" }) ? configuration : Set(configuration, value);
    }

    private static bool IsZero(object value) => value is "" or false or 0 or 0d or string[] { Length: 0 }
        || value is TimeSpan { Ticks: 0 };

    private KubeProxyConfiguration Set(KubeProxyConfiguration configuration, object value) =>
        _set is null ? configuration : _set(configuration, value);

    private bool SaysNothing(object value) => (!TakesZero && IsZero(value)) || value.Equals(Natural);
}
