// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Contract;

/// <summary><c>enum lb_frontend_flags</c></summary>
[Flags]
public enum FrontendFlags : uint
{
    None = 0,
    ClusterIP = 1,
    NodePort = 2,
    LoadBalancer = 4,
    ExternalIP = 8,
}

/// <summary><c>enum lb_vip_flags</c></summary>
[Flags]
public enum VipFlags : uint
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
    SourceRanges = 8,
    AdmitsPods = 16,
    AdmitsNode = 32,
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

/// <summary><c>enum lb_node_address_flags</c></summary>
[Flags]
public enum NodeAddressFlags : uint
{
    None = 0,
    NodePorts = 1,
    Loopback = 2,
}

/// <summary><c>enum lb_side</c></summary>
public enum Side : byte
{
    Ingress = 0,
    Egress = 1,
}

/// <summary><c>enum lb_conntrack_flags</c></summary>
[Flags]
public enum ConntrackFlags : ushort
{
    None = 0,
    Reply = 1,
    Local = 2,
    PickedUp = 4,
    Internal = 8,
    OtherEgress = 16,
    NoXdp = 32,
    Syn = 256,
    Data = 512,
    Fin = 1024,
    Rst = 2048,
    Lost = 4096,
    Dead = 8192,
}

/// <summary><c>enum lb_device_flags</c></summary>
[Flags]
public enum DeviceFlags : uint
{
    None = 0,
    Attached = 1,
    XdpSends = 2,
    XdpTurns = 4,
}

/// <summary><c>enum lb_setting_flags</c></summary>
[Flags]
public enum SettingFlags : uint
{
    None = 0,
    ExternalClusterIPs = 1,
}
