// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Objects;

/// <summary>The part of metadata that is used. Every field of every type in this folder is null when the wire does not carry it.</summary>
public sealed class ObjectMeta
{
    public string? Namespace { get; init; }

    public string? Name { get; init; }

    public string? Uid { get; init; }

    /// <summary>Of the API server, which alone knows what it means.</summary>
    public string? ResourceVersion { get; init; }

    public DateTimeOffset? DeletionTimestamp { get; init; }

    public DateTimeOffset? CreationTimestamp { get; init; }

    /// <summary>At least the keys of <see cref="WellKnown.Labels"/>, when present; a decoder may leave out all others.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>At least the keys of <see cref="WellKnown.Annotations"/>, when present; a decoder may leave out all others.</summary>
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}
