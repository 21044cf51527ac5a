// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Loading;

/// <summary>What a C# mirror claims about the memory of a struct of <c>bpf/types.h</c>.</summary>
public sealed record Mirror(string CName, int Size, IReadOnlyList<Mirror.Field> Fields)
{
    public sealed record Field(string Name, int Offset, int Size);

    /// <summary>Every mirror there is. A test asserts that none is missing.</summary>
    public static IReadOnlyList<Mirror> All { get; } =
    [
        // The model's own type: its fields are private and its bytes an address.
        new("lb_address", Unsafe.SizeOf<Address>(), [new Field("Bytes", 0, Unsafe.SizeOf<Address>())]),
        Of<FrontendKey>(),
        Of<FrontendValue>(),
        Of<VipValue>(),
        Of<NodeAddressValue>(),
        Of<ServiceCidrKey>(),
        Of<ServiceCidrValue>(),
        Of<SourceRangeKey>(),
        Of<SourceRangeValue>(),
        Of<SlotRange>(),
        Of<ServiceValue>(),
        Of<BackendValue>(),
        Of<AffinityKey>(),
        Of<AffinityValue>(),
        Of<SockPeerValue>(),
        Of<DeadSocketValue>(),
        Of<SockFlowKey>(),
        Of<SockFlowValue>(),
        Of<ConntrackKey>(),
        Of<ConntrackValue>(),
        Of<FragmentKey>(),
        Of<FragmentValue>(),
        Of<DeviceValue>(),
        Of<SettingsValue>(),
        Of<CountValue>(),
        Of<CountersValue>(),
        Of<SweepValue>(),
        Of<ServiceNameValue>(),
        Of<ProblemValue>(),
        Of<AgentValue>(),
        Of<AuditValue>(),
    ];

    /// <summary>The enums of the contract by their C name, with the prefix of their constants.</summary>
    public static IReadOnlyList<EnumMirror> Enums { get; } =
    [
        EnumMirror.Of<FrontendFlags>("lb_frontend_flags", "LB_FRONTEND_"),
        EnumMirror.Of<VipFlags>("lb_vip_flags", "LB_VIP_"),
        EnumMirror.Of<Algorithm>("lb_algorithm", "LB_ALGORITHM_"),
        EnumMirror.Of<ServiceFlags>("lb_service_flags", "LB_SERVICE_"),
        EnumMirror.Of<BackendFlags>("lb_backend_flags", "LB_BACKEND_"),
        EnumMirror.Of<ClientKind>("lb_client_kind", "LB_CLIENT_"),
        EnumMirror.Of<SockFlowDirection>("lb_sock_flow_direction", "LB_SOCK_"),
        EnumMirror.Of<NodeAddressFlags>("lb_node_address_flags", "LB_NODE_ADDRESS_"),
        EnumMirror.Of<Side>("lb_side", "LB_SIDE_"),
        EnumMirror.Of<ConntrackFlags>("lb_conntrack_flags", "LB_CONNTRACK_"),
        EnumMirror.Of<DeviceFlags>("lb_device_flags", "LB_DEVICE_"),
        EnumMirror.Of<SettingFlags>("lb_setting_flags", "LB_SETTING_"),
        EnumMirror.Of<Hook>("lb_hook", "LB_HOOK_"),
        EnumMirror.Of<Reason>("lb_reason", "LB_REASON_"),
    ];

    private static Mirror Of<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields)] T>()
        where T : unmanaged
    {
        var fields = typeof(T).GetFields(BindingFlags.Instance | BindingFlags.Public)
            .Select(field => new Field(
                field.Name,
                field.GetCustomAttribute<FieldOffsetAttribute>()!.Value,
                RuntimeHelpers.SizeOf(field.FieldType.TypeHandle)))
            .OrderBy(field => field.Offset)
            .ToArray();
        return new Mirror(typeof(T).GetCustomAttribute<CTypeAttribute>()!.Name, Unsafe.SizeOf<T>(), fields);
    }
}
