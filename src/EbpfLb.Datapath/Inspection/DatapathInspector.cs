// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux;
using EbpfLb.Linux.Clocks;

namespace EbpfLb.Datapath.Inspection;

/// <summary>
/// The pinned maps of a node, opened to be looked at. It takes no lock and writes nothing, so it works beside a running agent as well as
/// without one.
/// </summary>
public sealed class DatapathInspector : IDisposable
{
    private readonly PinDirectory _pins;
    private readonly KernelMaps _maps;

    private DatapathInspector(PinDirectory pins, KernelMaps maps)
    {
        _pins = pins;
        _maps = maps;
    }

    public string PinPath => _pins.Path;

    /// <param name="bpffs">A mounted BPF file system, or null to find one.</param>
    /// <exception cref="DatapathException">Nothing is installed there, or it cannot be read.</exception>
    public static DatapathInspector Open(string? bpffs)
    {
        var pins = PinDirectory.TryOpen(bpffs) ?? throw NotInstalled(bpffs);
        try
        {
            return new DatapathInspector(pins, KernelMaps.Open(pins.Path, writable: false));
        }
        catch
        {
            pins.Dispose();
            throw;
        }
    }

    public DatapathSnapshot ReadSnapshot() => Reading(() => DatapathSnapshot.Read(_maps));

    public IReadOnlyList<AffinityView> ReadAffinity() => Reading(() => AffinityView.ReadAll(_maps, MonotonicClock.NowNs));

    /// <param name="isWanted">Only these are kept and sorted: by client, then by what it dialled.</param>
    public IReadOnlyList<FlowView> ReadFlows(Func<FlowView, bool> isWanted) =>
        Reading(() => FlowView.ReadAll(_maps, MonotonicClock.NowNs, isWanted));

    public CountersView ReadCounters() => Reading(() => CountersView.Read(_maps));

    public IReadOnlyList<MapView> ReadMaps() => Reading(() => MapView.ReadAll(_pins, _maps));

    public StatusView ReadStatus() => Reading(() => StatusView.Read(_pins, _maps, MonotonicClock.NowNs));

    public void Dispose()
    {
        _maps.Dispose();
        _pins.Dispose();
    }

    internal static DatapathException NotInstalled(string? bpffs) => new(
        $"No datapath is installed{(bpffs is null ? "" : $" on {bpffs}")}: there is no directory 'ebpflb' on the BPF file system. "
        + "No agent has run here, or 'ebpflb cleanup' removed what it had made. Start one with 'ebpflb agent'"
        + (bpffs is null ? ", or name its BPF file system with --bpffs." : "."));

    private T Reading<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (LinuxException exception)
        {
            throw new DatapathException($"The datapath in {_pins.Path} cannot be read: {exception.Message}", exception);
        }
    }
}
