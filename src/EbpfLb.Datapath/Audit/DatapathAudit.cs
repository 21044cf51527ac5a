// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Conntrack;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Devices;
using EbpfLb.Datapath.Inspection;
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Sync;
using EbpfLb.Linux;
using EbpfLb.Linux.Bpf;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Audit;

/// <summary>The datapath of a node against what it should be, from outside of the agent: it takes no lock and writes nothing but a wish.</summary>
public sealed class DatapathAudit : IDisposable
{
    private readonly PinDirectory _pins;

    private DatapathAudit(PinDirectory pins) => _pins = pins;

    public string PinPath => _pins.Path;

    /// <summary>Sources of packets that leave through balanced devices, as devices_v1 says them.</summary>
    public IReadOnlyList<Address> SourceAddresses
    {
        get
        {
            using var maps = OpenMaps();
            return
            [
                .. maps.Devices.ReadAll().Where(device => device.Value.Flags.HasFlag(DeviceFlags.Attached))
                    .SelectMany(device => (Address[])[device.Value.SourceV4, device.Value.SourceV6])
                    .Where(address => address != default).Distinct().Order(),
            ];
        }
    }

    /// <param name="bpffs">A mounted BPF file system, or null to find one.</param>
    /// <exception cref="DatapathException">Nothing is installed there, or it cannot be read.</exception>
    public static DatapathAudit Open(string? bpffs)
    {
        var pins = PinDirectory.TryOpen(bpffs) ?? throw DatapathInspector.NotInstalled(bpffs);
        try
        {
            var audit = new DatapathAudit(pins);
            audit.OpenMaps().Dispose();
            return audit;
        }
        catch
        {
            pins.Dispose();
            throw;
        }
    }

    /// <summary>The node that the maps were programmed for; empty when no agent has said so.</summary>
    public string NodeName
    {
        get
        {
            using var maps = OpenMaps();
            return maps.Agent.Get<AgentValue>(0).Node.ToString();
        }
    }

    /// <summary>Whether somebody holds the lock: then the maps are his to write.</summary>
    public bool IsOwned()
    {
        using var probe = PinDirectory.TryOpen(Path.GetDirectoryName(_pins.Path));
        return probe?.IsLockedByOthers() == true;
    }

    /// <summary>Where the entries of a service send to.</summary>
    public IReadOnlyDictionary<ServicePortKey, EquatableArray<Backend>> ProgrammedBackends(ObjectName service)
    {
        using var maps = OpenMaps();
        var backends = maps.Backends.ReadAll().ToLookup(entry => entry.Value.ServiceId, entry => entry.Value);
        var programmed = new Dictionary<ServicePortKey, EquatableArray<Backend>>();
        foreach (var (id, name) in maps.ServiceNames.ReadAll().OrderBy(entry => entry.Key))
        {
            if (Encoding.TryKey(name, out var key) && key.Service == service)
                programmed.TryAdd(key, backends[id].Select(one => new Backend(one.Address, one.Port.Value, one.Flags))
                    .OrderBy(one => one.Address).ThenBy(one => one.Port).ToEquatableArray());
        }

        return programmed;
    }

    /// <summary>Everything that differs.</summary>
    /// <param name="changes">All there is.</param>
    public IReadOnlyList<Divergence> Find(DesiredChanges changes, DatapathSyncOptions options, DeviceOptions devices, FlowSettings flows)
    {
        try
        {
            using var maps = OpenMaps();
            return
            [
                .. InstallationAudit.Find(_pins, maps),
                .. MapComparison.Compare(MapComparison.Expected(changes, options, maps), maps),
                .. NetworkAudit.Find(_pins, maps, devices, flows),
            ];
        }
        catch (LinuxException exception)
        {
            throw new DatapathException($"The datapath in {_pins.Path} cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>Asks the agent for an audit.</summary>
    /// <returns>Whether it has answered; to be called until it has.</returns>
    public Func<bool> Ask()
    {
        using var map = BpfMap.OpenPinned(_pins.Map(MapNames.Audit));
        using var array = map.Map();
        ulong asked = Interlocked.Increment(ref array.At<AuditValue>(0).Asked);
        return () =>
        {
            using var maps = OpenMaps();
            return maps.Audit.Get<AuditValue>(0).Answered >= asked;
        };
    }

    public void Dispose() => _pins.Dispose();

    // Each time: the agent may have put others in their place.
    private KernelMaps OpenMaps() => KernelMaps.Open(_pins.Path, writable: false);
}
