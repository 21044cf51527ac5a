// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Manifests;

public enum ObjectKind : byte
{
    Service,
    EndpointSlice,
    Node,
}
