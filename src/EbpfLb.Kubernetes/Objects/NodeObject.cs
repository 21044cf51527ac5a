// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Objects;

public sealed class NodeObject
{
    public ObjectMeta? Metadata { get; init; }
}
