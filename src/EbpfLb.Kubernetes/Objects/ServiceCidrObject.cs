// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Objects;

public sealed class ServiceCidrObject
{
    public ObjectMeta? Metadata { get; init; }

    /// <summary>spec.cidrs</summary>
    public IReadOnlyList<string>? Cidrs { get; init; }
}
