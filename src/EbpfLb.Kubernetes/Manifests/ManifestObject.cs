// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Manifests;

/// <summary>Who an object is, whichever file it stands in.</summary>
/// <param name="Name">A node and a service CIDR have no namespace; it is empty then.</param>
public readonly record struct ObjectKey(ObjectKind Kind, ObjectName Name) : IComparable<ObjectKey>
{
    public static bool operator <(ObjectKey left, ObjectKey right) => left.CompareTo(right) < 0;

    public static bool operator >(ObjectKey left, ObjectKey right) => left.CompareTo(right) > 0;

    public static bool operator <=(ObjectKey left, ObjectKey right) => left.CompareTo(right) <= 0;

    public static bool operator >=(ObjectKey left, ObjectKey right) => left.CompareTo(right) >= 0;

    public int CompareTo(ObjectKey other)
    {
        int order = Kind.CompareTo(other.Kind);
        return order != 0 ? order : Name.CompareTo(other.Name);
    }

    /// <summary>As messages call it: <c>Service default/web</c>.</summary>
    public override string ToString() => Kind.HasNoNamespace() ? $"{Kind} {Name.Name}" : $"{Kind} {Name}";
}

/// <summary>An object of a file. Exactly the model record of its kind is set, or none when nothing is served for the object.</summary>
/// <param name="Key">Unique within its file.</param>
/// <param name="Line">Where the object starts.</param>
public sealed record ManifestObject(ObjectKey Key, int Line)
{
    public Service? Service { get; init; }

    public EndpointSlice? Slice { get; init; }

    public Node? Node { get; init; }

    public ServiceCidr? ServiceCidr { get; init; }

    /// <summary>False for a headless service, say: it claims its name, and that is all.</summary>
    public bool IsServed => Service is not null || Slice is not null || Node is not null || ServiceCidr is not null;
}
