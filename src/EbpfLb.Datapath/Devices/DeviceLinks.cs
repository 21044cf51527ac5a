// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Loading;
using EbpfLb.Linux;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Netlink;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Datapath.Devices;

/// <summary>
/// The pinned links that hold the packet path's programs on devices. The pins are the memory: each pass looks at what is there. Owned by
/// one task, whose thread is in the node's network namespace while it calls.
/// </summary>
public sealed class DeviceLinks : IDisposable
{
    private readonly string _directory;
    private readonly XdpChoice _xdp;
    private readonly ILogger _logger;
    private readonly Dictionary<string, BpfProgram> _programs = [];
    private string _programDirectory = "";

    // Where this process has seen its programs: one that is missing there was taken off.
    private readonly HashSet<DevicePin> _seen = [];

    // What was last warned about, so that a warning comes once.
    private readonly Dictionary<DevicePin, string> _warned = [];

    /// <param name="linkDirectory">Where links are pinned.</param>
    /// <param name="programDirectory">Where this build's programs are.</param>
    public DeviceLinks(string linkDirectory, string programDirectory, XdpChoice xdp, ILogger logger)
    {
        _directory = linkDirectory;
        _xdp = xdp;
        _logger = logger;
        UsePrograms(programDirectory);
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
        foreach (string file in Directory.Exists(_directory) ? Directory.GetFiles(_directory) : [])
        {
            if (DevicePin.TryParse(Path.GetFileName(file), out var pin) && pin.Hook is DeviceHook.TcxIngress or DeviceHook.TcxPod
                && links.TryGetValue(pin.InterfaceIndex, out var device) && IsInPlace(pin, device))
                devices[pin.InterfaceIndex] = pin.Hook == DeviceHook.TcxPod ? DeviceRole.Pod : DeviceRole.Uplink;
        }

        return new DevicePlan(devices);
    }

    /// <summary>Whether a link that was in place is not pinned any more, or not on its device.</summary>
    public bool HasLost() => _seen.Any(pin => !IsHeld(pin));

    /// <summary>Puts the plan in place. A device that fails is warned about and tried again by the next pass.</summary>
    /// <param name="links">Of the namespace, by index.</param>
    /// <param name="areFresh">Whether they were just read: then they tell which XDP program is in place.</param>
    /// <param name="gone">Indices whose device went since the last pass; a device that has one of them now is another.</param>
    public DeviceLinksResult Apply(DevicePlan plan, IReadOnlyDictionary<int, NetworkLink> links, bool areFresh, IReadOnlySet<int> gone)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(links);
        ArgumentNullException.ThrowIfNull(gone);
        Directory.CreateDirectory(_directory);
        var wanted = Wanted(plan, links);
        foreach (var stale in _warned.Keys.Where(pin => !wanted.ContainsKey(pin) || gone.Contains(pin.InterfaceIndex)).ToArray())
            _warned.Remove(stale);

        _seen.RemoveWhere(pin => !wanted.ContainsKey(pin) || gone.Contains(pin.InterfaceIndex));
        var pinned = new HashSet<DevicePin>();
        int removed = 0;
        foreach (string file in Directory.GetFiles(_directory))
        {
            if (!DevicePin.TryParse(Path.GetFileName(file), out var pin))
                continue;

            if (wanted.ContainsKey(pin))
                pinned.Add(pin);
            else if (TryRemove(pin))
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
            var state = pinned.Contains(pin) ? Adopt(pin, program, link, areFresh) : _seen.Contains(pin) ? State.Lost : State.Absent;
            if (state is State.Absent or State.Lost)
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

                if (state == State.Lost && _seen.Contains(pin))
                    _logger.PutBack(link.Name, pin.Hook.ToString());
                created++;
            }
            else if (state == State.Updated)
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

    private string PathOf(DevicePin pin) => Path.Combine(_directory, pin.FileName);

    private State Adopt(DevicePin pin, BpfProgram program, NetworkLink device, bool isFresh)
    {
        try
        {
            using var link = BpfLink.OpenPinned(PathOf(pin));
            var info = link.Info;
            if (!IsInPlace(pin, info, device, isFresh))
            {
                Cleanup.Detach(link);
                File.Delete(PathOf(pin));
                // In another mode than is wanted, it is not lost.
                return info.InterfaceIndex == 0 ? State.Lost : State.Absent;
            }

            if (info.ProgramId == program.Info.Id)
                return State.Kept;

            link.Update(program);
            return State.Updated;
        }
        catch (Exception exception) when (exception is LinuxException or IOException or UnauthorizedAccessException)
        {
            // Detached while it was looked at, or something else is pinned there: a link of our own takes its place.
            TryRemove(pin);
            return State.Lost;
        }
    }

    private bool IsInPlace(DevicePin pin, NetworkLink device)
    {
        try
        {
            using var link = BpfLink.OpenPinned(PathOf(pin));
            return IsInPlace(pin, link.Info, device, isFresh: false);
        }
        catch (LinuxException)
        {
            return false;
        }
    }

    private bool IsHeld(DevicePin pin)
    {
        try
        {
            if (!BpfLink.TryOpenPinned(PathOf(pin), out var link))
                return false;

            using (link)
                return link.Info.InterfaceIndex == pin.InterfaceIndex;
        }
        catch (LinuxException)
        {
            return false;
        }
    }

    // The index alone is not enough: the pins may be of a time when the agent ran in another network namespace.
    private bool IsInPlace(DevicePin pin, BpfLinkInfo info, NetworkLink device, bool isFresh)
    {
        if (info.InterfaceIndex != pin.InterfaceIndex)
            return false;

        if (pin.Hook != DeviceHook.Xdp)
            return BpfTcx.QueryPrograms(pin.InterfaceIndex, pin.Hook == DeviceHook.TcxEgress).Contains(info.ProgramId);

        return !isFresh || (device.XdpProgramId == info.ProgramId && device.XdpMode == Mode);
    }

    private XdpMode Mode => _xdp == XdpChoice.Generic ? XdpMode.Generic : XdpMode.Native;

    private bool TryCreate(DevicePin pin, BpfProgram program, NetworkLink device, out DeviceRefusal? refusal)
    {
        refusal = null;
        try
        {
            using var link = pin.Hook == DeviceHook.Xdp
                ? BpfLink.AttachXdp(program, pin.InterfaceIndex, Mode)
                : BpfLink.AttachTcx(program, pin.InterfaceIndex, egress: pin.Hook == DeviceHook.TcxEgress);
            link.Pin(PathOf(pin));
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

    private bool TryRemove(DevicePin pin)
    {
        string path = PathOf(pin);
        try
        {
            if (BpfLink.TryOpenPinned(path, out var link))
            {
                using (link)
                    Cleanup.Detach(link);
            }
        }
        catch (LinuxException)
        {
            // No link but somebody else's, or one that does not detach: without its pin a link goes by itself.
        }

        try
        {
            File.Delete(path);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _logger.LinkNotRemoved(path, exception.Message);
            return false;
        }
    }

    private enum State
    {
        Absent,

        /// <summary>The link was there, but not on its device.</summary>
        Lost,

        Updated,

        Kept,
    }
}
