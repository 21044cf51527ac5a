// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Features;
using EbpfLb.Datapath.Loading;
using EbpfLb.Linux;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Netlink;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Datapath.Devices;

/// <summary>
/// Holds the packet path's programs on devices: by pinned links, or where there is no tcx by filters of clsact. The pins are the memory:
/// each pass looks at what is there. Owned by one task, whose thread is in the node's network namespace while it calls.
/// </summary>
public sealed class DeviceLinks : IDisposable
{
    private readonly LinkHold _links;
    private readonly ClsactHold _filters;
    private readonly IDeviceHold _tc;
    private readonly XdpChoice _xdp;
    private readonly ILogger _logger;
    private readonly Dictionary<string, BpfProgram> _programs = [];
    private string _programDirectory = "";

    // Where this process has seen its programs: one that is missing there was taken off.
    private readonly HashSet<DevicePin> _seen = [];

    // What was last warned about, so that a warning comes once.
    private readonly Dictionary<DevicePin, string> _warned = [];

    public DeviceLinks(Loading.Datapath datapath, XdpChoice xdp, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(datapath);
        _links = new LinkHold(datapath.LinkDirectory, xdp == XdpChoice.Generic ? XdpMode.Generic : XdpMode.Native, logger);
        _filters = new ClsactHold(datapath.FilterDirectory, logger);
        _tc = datapath.Features.Has(KernelFeature.Tcx) ? _links : _filters;
        _xdp = xdp;
        _logger = logger;
        UsePrograms(datapath.ProgramDirectory);
    }

    /// <summary>Those to put in place from now on.</summary>
    public void UsePrograms(string directory)
    {
        if (_programDirectory == directory)
            return;

        Dispose();
        _programs.Clear();
        try
        {
            foreach (string name in new[] { ProgramNames.XdpIngress, ProgramNames.TcIngress, ProgramNames.TcEgress, ProgramNames.TcPod })
                _programs.Add(name, BpfProgram.OpenPinned(Path.Combine(directory, name)));
            _programDirectory = directory;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Devices whose incoming packets an earlier agent's links hold: what it had planned, as far as it matters.</summary>
    public DevicePlan Find(IReadOnlyDictionary<int, NetworkLink> links)
    {
        ArgumentNullException.ThrowIfNull(links);
        var devices = new Dictionary<int, DeviceRole>();
        foreach (var (hold, pin) in Pins())
        {
            if (pin.Hook is DeviceHook.TcxIngress or DeviceHook.TcxPod
                && links.TryGetValue(pin.InterfaceIndex, out var device) && hold.IsInPlace(pin, device))
                devices[pin.InterfaceIndex] = pin.Hook == DeviceHook.TcxPod ? DeviceRole.Pod : DeviceRole.Uplink;
        }

        return new DevicePlan(devices);
    }

    /// <summary>Whether a link that was in place is not pinned any more, or not on its device.</summary>
    public bool HasLost() => _seen.Any(pin => !HoldOf(pin.Hook).IsHeld(pin));

    /// <summary>Puts the plan in place. A device that fails is warned about and tried again by the next pass.</summary>
    /// <param name="links">Of the namespace, by index.</param>
    /// <param name="areFresh">Whether they were just read: then they tell which XDP program is in place.</param>
    /// <param name="gone">Indices whose device went since the last pass; a device that has one of them now is another.</param>
    public DeviceLinksResult Apply(DevicePlan plan, IReadOnlyDictionary<int, NetworkLink> links, bool areFresh, IReadOnlySet<int> gone)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(links);
        ArgumentNullException.ThrowIfNull(gone);
        _links.Prepare();
        var wanted = Wanted(plan, links);
        foreach (var stale in _warned.Keys.Where(pin => !wanted.ContainsKey(pin) || gone.Contains(pin.InterfaceIndex)).ToArray())
            _warned.Remove(stale);

        _seen.RemoveWhere(pin => !wanted.ContainsKey(pin) || gone.Contains(pin.InterfaceIndex));
        var pinned = new HashSet<DevicePin>();
        int removed = 0;
        foreach (var (hold, pin) in Pins().ToArray())
        {
            if (wanted.ContainsKey(pin) && hold == HoldOf(pin.Hook))
                pinned.Add(pin);
            else if (hold.TryRemove(pin))
                removed++;
        }

        int created = 0, updated = 0, kept = 0, failed = 0;
        var attached = new Dictionary<int, IReadOnlyList<DeviceHook>>();
        var incomplete = new HashSet<int>();
        var refused = new List<DeviceRefusal>();
        foreach (var (pin, program) in wanted)
        {
            // What turns packets must not stand where what turns replies back could not.
            if (incomplete.Contains(pin.InterfaceIndex))
                continue;

            var link = links[pin.InterfaceIndex];
            var state = pinned.Contains(pin)
                ? HoldOf(pin.Hook).Adopt(pin, program, link, areFresh)
                : _seen.Contains(pin) ? HoldState.Lost : HoldState.Absent;
            if (state is HoldState.Absent or HoldState.Lost)
            {
                if (!TryCreate(pin, program, link, out var refusal))
                {
                    if (refusal is not null)
                        refused.Add(refusal);
                    _seen.Remove(pin);
                    incomplete.Add(pin.InterfaceIndex);
                    failed++;
                    continue;
                }

                if (state == HoldState.Lost && _seen.Contains(pin))
                    _logger.PutBack(link.Name, pin.Hook.ToString());
                created++;
            }
            else if (state == HoldState.Updated)
                updated++;
            else
                kept++;

            _seen.Add(pin);
            attached[pin.InterfaceIndex] = [.. attached.GetValueOrDefault(pin.InterfaceIndex, []), pin.Hook];
        }

        return new DeviceLinksResult(created, updated, kept, removed, failed, refused, attached);
    }

    public void Dispose()
    {
        foreach (var program in _programs.Values)
            program.Dispose();
    }

    private SortedDictionary<DevicePin, BpfProgram> Wanted(DevicePlan plan, IReadOnlyDictionary<int, NetworkLink> links)
    {
        var wanted = new SortedDictionary<DevicePin, BpfProgram>(
            Comparer<DevicePin>.Create((left, right) => (left.InterfaceIndex, left.Hook).CompareTo((right.InterfaceIndex, right.Hook))));
        foreach (var (index, role) in plan.Devices.Where(device => links.ContainsKey(device.Key)))
        {
            wanted[new DevicePin(DeviceHook.TcxEgress, index)] = _programs[ProgramNames.TcEgress];
            if (role == DeviceRole.Pod)
                wanted[new DevicePin(DeviceHook.TcxPod, index)] = _programs[ProgramNames.TcPod];
            else
                wanted[new DevicePin(DeviceHook.TcxIngress, index)] = _programs[ProgramNames.TcIngress];
            if (role == DeviceRole.Uplink && _xdp != XdpChoice.Off)
                wanted[new DevicePin(DeviceHook.Xdp, index)] = _programs[ProgramNames.XdpIngress];
        }

        return wanted;
    }

    private IEnumerable<(IDeviceHold Hold, DevicePin Pin)> Pins() =>
        new IDeviceHold[] { _links, _filters }.SelectMany(hold => hold.Pins().Select(pin => (hold, pin)));

    private IDeviceHold HoldOf(DeviceHook hook) => hook == DeviceHook.Xdp ? _links : _tc;

    private bool TryCreate(DevicePin pin, BpfProgram program, NetworkLink device, out DeviceRefusal? refusal)
    {
        refusal = null;
        try
        {
            HoldOf(pin.Hook).Create(pin, program);
            if (_warned.Remove(pin))
                _logger.AttachedAfterAll(device.Name, pin.Hook.ToString());
            return true;
        }
        catch (LinuxException exception) when (exception.Errno is Errno.ENODEV)
        {
            // Gone meanwhile; the event about it is on its way.
            return false;
        }
        catch (LinuxException exception)
        {
            refusal = Warn(pin, device, exception);
            return false;
        }
    }

    private DeviceRefusal Warn(DevicePin pin, NetworkLink device, LinuxException exception)
    {
        bool isOccupied = pin.Hook == DeviceHook.Xdp && exception.Errno is Errno.EBUSY or Errno.EEXIST;
        string cause = isOccupied ? ForeignProgram(pin.InterfaceIndex) : exception.Message;
        var refusal = new DeviceRefusal(device.Name, pin.Hook, cause, isOccupied);
        if (_warned.TryGetValue(pin, out string? known) && known == cause)
            return refusal;

        _warned[pin] = cause;
        if (isOccupied)
            _logger.ForeignXdp(device.Name, cause);
        else if (pin.Hook == DeviceHook.Xdp && _xdp != XdpChoice.Generic)
            _logger.NativeRefused(_xdp == XdpChoice.Native ? LogLevel.Warning : LogLevel.Information, device.Name, cause);
        else
            _logger.AttachFailed(device.Name, pin.Hook.ToString(), cause);
        return refusal;
    }

    private static string ForeignProgram(int index)
    {
        uint id = 0;
        try
        {
            id = NetworkDump.Links().FirstOrDefault(link => link.Index == index)?.XdpProgramId ?? 0;
            if (id == 0)
                return "in another mode";

            using var program = BpfProgram.FromId(id);
            return $"program {id} '{program.Info.Name}'";
        }
        catch (LinuxException)
        {
            // Gone meanwhile, or CAP_SYS_ADMIN is missing; the id alone serves.
            return id == 0 ? "of an unknown id" : $"program {id}";
        }
    }
}
