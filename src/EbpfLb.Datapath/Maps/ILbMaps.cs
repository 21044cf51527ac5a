// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Maps;

/// <summary>The maps the agent writes or reads: in the kernel, or in memory for tests.</summary>
public interface ILbMaps
{
    IBpfMap<FrontendKey, FrontendValue> Frontends { get; }

    IBpfMap<Address, VipValue> Vips { get; }

    IBpfMap<ServiceCidrKey, ServiceCidrValue> ServiceCidrs { get; }

    IBpfMap<SourceRangeKey, SourceRangeValue> SourceRanges { get; }

    IBpfMap<uint, ServiceValue> Services { get; }

    ISlotArray Slots { get; }

    IBpfMap<uint, BackendValue> Backends { get; }

    /// <summary>By backend id. Programs add to what is there.</summary>
    IBpfMap<uint, CountersValue> Counters { get; }

    IBpfMap<uint, CountersValue> ServiceCounters { get; }

    IBpfMap<uint, ServiceNameValue> ServiceNames { get; }

    IBpfMap<AffinityKey, AffinityValue> Affinity { get; }

    IBpfMap<uint, ProblemValue> Problems { get; }

    IIdMarks Ids { get; }

    INodePortSettings NodePorts { get; }
}
