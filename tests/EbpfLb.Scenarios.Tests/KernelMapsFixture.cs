// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Maps;
using OpenDatapath = EbpfLb.Datapath.Loading.Datapath;

namespace EbpfLb.Scenarios.Tests;

/// <summary>
/// The kernel's maps, with the programs that go with them loaded and attached to a cgroup of the suite's own. A scenario leaves its maps
/// empty, so those of the default sizes serve one after the other.
/// </summary>
public sealed class KernelMapsFixture : IDisposable
{
    private KernelDatapath? _kernel;
    private OpenDatapath? _datapath;
    private bool _shared;

    public async Task<ILbMaps> GetEmptyAsync(IReadOnlyDictionary<string, uint> sizes)
    {
        ArgumentNullException.ThrowIfNull(sizes);
        if (_datapath is null || !_shared || sizes.Count > 0 || !IsEmpty(_datapath.Maps))
        {
            Dispose();
            _kernel = new KernelDatapath();
            _datapath = await _kernel.OpenAsync(sizes);
            _shared = sizes.Count == 0;
        }

        return _datapath.Maps;
    }

    public void Dispose()
    {
        _datapath?.Dispose();
        _kernel?.Dispose();
        _datapath = null;
        _kernel = null;
    }

    // Not what a scenario left that failed.
    private static bool IsEmpty(KernelMaps maps) =>
        maps.Frontends.ReadAll().Count + maps.Vips.ReadAll().Count + maps.Services.ReadAll().Count
        + maps.Backends.ReadAll().Count + maps.ServiceNames.ReadAll().Count + maps.SourceRanges.ReadAll().Count
        + maps.ServiceCidrs.ReadAll().Count + maps.Counters.ReadAll().Count + maps.ServiceCounters.ReadAll().Count == 0;
}
