// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Maps;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Sync;

public sealed partial class DatapathSync
{
    private readonly List<SyncFailure> _cidrFailures = [];
    private EquatableArray<AddressPrefix> _desiredCidrs;
    private bool _cidrsArePartial;
    private bool _cidrsDue;

    // What is in a service CIDR and has no frontend is dropped, so one that is gone goes only when it is sure to be.
    private void ProgramCidrs(bool retry)
    {
        if (!_cidrsDue && !(retry && _cidrFailures.Count > 0))
            return;

        if (_complete && !_cidrsArePartial)
        {
            var desired = _desiredCidrs.Select(Encoding.Cidr).ToHashSet();
            foreach (var key in _cidrs.Entries.Keys.Where(key => !desired.Contains(key)).ToArray())
                _cidrs.Delete(key);
        }

        _cidrFailures.Clear();
        foreach (var prefix in _desiredCidrs)
        {
            var write = _cidrs.Put(Encoding.Cidr(prefix), default);
            if (!write.Succeeded)
                _cidrFailures.Add(Failure(CidrName(prefix), new Refusal(MapNames.ServiceCidrs, _cidrs.MaxEntries, write), isAbsent: true));
        }

        _cidrsDue = false;
    }

    // Such as ServiceCIDR/10.96.0.0/16: what failed has a name like a service.
    private static ObjectName CidrName(AddressPrefix prefix) => new("ServiceCIDR", prefix.ToString());
}
