// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Manifests;

public enum ObjectKind : byte
{
    Service,
    EndpointSlice,
    Node,
    ServiceCIDR,
}

internal static class ObjectKinds
{
    public static bool HasNoNamespace(this ObjectKind kind) => kind is ObjectKind.Node or ObjectKind.ServiceCIDR;
}
