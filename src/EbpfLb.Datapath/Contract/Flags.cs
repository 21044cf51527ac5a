// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Contract;

/// <summary><c>enum lb_frontend_flags</c></summary>
[Flags]
public enum FrontendFlags : uint
{
    None = 0,
    ClusterIP = 1,
}

/// <summary><c>enum lb_service_flags</c></summary>
[Flags]
public enum ServiceFlags : byte
{
    None = 0,
    InternalLocal = 1,
    ExternalLocal = 2,
    HasEndpoints = 4,
}

/// <summary><c>enum lb_client_kind</c></summary>
public enum ClientKind : byte
{
    Address = 0,
    NetNs = 1,
}

/// <summary><c>enum lb_sock_flow_direction</c></summary>
public enum SockFlowDirection : byte
{
    ToBackend = 0,
    FromBackend = 1,
}
