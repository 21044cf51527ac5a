// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Audit;

/// <summary>What the maps of services hold, read by any task; whoever writes meanwhile is not waited for. Slots are read where they are.</summary>
public sealed record MapImage(
    IReadOnlyList<KeyValuePair<FrontendKey, FrontendValue>> Frontends,
    IReadOnlyList<KeyValuePair<Address, VipValue>> Vips,
    IReadOnlyList<KeyValuePair<ServiceCidrKey, ServiceCidrValue>> ServiceCidrs,
    IReadOnlyList<KeyValuePair<SourceRangeKey, SourceRangeValue>> SourceRanges,
    IReadOnlyList<KeyValuePair<uint, ServiceValue>> Services,
    IReadOnlyList<KeyValuePair<uint, BackendValue>> Backends,
    IReadOnlyList<KeyValuePair<uint, ServiceNameValue>> ServiceNames,
    IReadOnlyList<uint> Counted,
    IReadOnlyList<KeyValuePair<uint, CountersValue>> ServiceCounters)
{
    public static MapImage Read(ILbMaps maps)
    {
        ArgumentNullException.ThrowIfNull(maps);
        return new MapImage(
            maps.Frontends.ReadAll(), maps.Vips.ReadAll(), maps.ServiceCidrs.ReadAll(), maps.SourceRanges.ReadAll(), maps.Services.ReadAll(),
            maps.Backends.ReadAll(), maps.ServiceNames.ReadAll(), [.. maps.Counters.ReadAll().Select(entry => entry.Key)],
            maps.ServiceCounters.ReadAll());
    }
}
