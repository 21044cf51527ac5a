// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Linux;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Netlink;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Datapath.Devices;

/// <summary>
/// Filters of clsact, for kernels without tcx. A filter needs nobody to hold it, so it outlives the agent; whose it is, its name tells. The
/// program is pinned before its filter is made and unpinned after that was removed, so every filter of ours has a pin.
/// </summary>
internal sealed class ClsactHold : IDeviceHold
{
    /// <summary>Before filters whose owner chose none: for those the kernel counts down from 49152. Smaller ones run before ours.</summary>
    public const ushort Priority = 40000;

    private const string QdiscPrefix = "qdisc_";
    private const string NewSuffix = "_new";

    private readonly string _directory;
    private readonly string _owner;
    private readonly ILogger _logger;

    public ClsactHold(string directory, ILogger logger)
    {
        _directory = directory;
        // Another agent, with another BPF file system, may be at the same device.
        _owner = $"ebpflb {Path.GetDirectoryName(directory)}";
        _logger = logger;
    }

    public IEnumerable<DevicePin> Pins()
    {
        foreach (string file in Directory.Exists(_directory) ? Directory.GetFiles(_directory) : [])
        {
            if (DevicePin.TryParseFilter(Path.GetFileName(file), out var pin))
                yield return pin;
        }
    }

    public bool IsHeld(DevicePin pin)
    {
        try
        {
            return File.Exists(PathOf(pin)) && Find(pin) is not null;
        }
        catch (LinuxException)
        {
            return false;
        }
    }

    public bool IsInPlace(DevicePin pin, NetworkLink device) => Find(pin) is not null;

    /// <summary>Our filter, if it is in place in this network namespace.</summary>
    public ClsactFilter? Find(DevicePin pin) => Holder(pin) is { } filter && filter.Name == _owner ? filter : null;

    /// <summary>Of the program that was put there; 0 when the pin is gone.</summary>
    public uint ProgramOf(DevicePin pin)
    {
        if (!BpfProgram.TryOpenPinned(PathOf(pin), out var program))
            return 0;

        using (program)
            return program.Info.Id;
    }

    public HoldState Adopt(DevicePin pin, BpfProgram program, NetworkLink device, bool isFresh) => Update(pin, program);

    /// <summary>To another program, in one step.</summary>
    public HoldState Update(DevicePin pin, BpfProgram program)
    {
        try
        {
            if (Find(pin) is not { } filter)
                return HoldState.Lost;
            bool isKept = filter.ProgramId == program.Info.Id;
            if (!isKept)
                Put(pin, program, mayReplace: true);
            // Also what an agent left undone that was killed in between. A mark holds its program, and that one its maps.
            if (ProgramOf(pin) != program.Info.Id)
            {
                if (File.Exists(QdiscPath(pin.InterfaceIndex)))
                    Mark(QdiscPath(pin.InterfaceIndex), program);
                Mark(PathOf(pin), program);
            }

            return isKept ? HoldState.Kept : HoldState.Updated;
        }
        catch (LinuxException)
        {
            // Removed while it was looked at: making it anew tells what is wrong.
            return HoldState.Lost;
        }
    }

    public void Create(DevicePin pin, BpfProgram program)
    {
        Directory.CreateDirectory(_directory);
        Mark(PathOf(pin), program);
        try
        {
            AddQdisc(pin.InterfaceIndex, program);
            var holder = Holder(pin);
            if (holder is not null && holder.Name != _owner)
            {
                throw new LinuxException(
                    $"attach program {program.Info.Name} to device {pin.InterfaceIndex}", Errno.EEXIST,
                    $"a filter named '{holder.Name}' has priority {Priority}, handle {HandleOf(pin.Hook)}; it was left in place");
            }

            Put(pin, program, mayReplace: holder is not null);
        }
        catch
        {
            TryRemove(pin);
            throw;
        }
    }

    public bool TryRemove(DevicePin pin)
    {
        string path = PathOf(pin);
        try
        {
            if (Find(pin) is not null)
                ClsactFilters.Remove(pin.InterfaceIndex, IsEgress(pin), Priority, HandleOf(pin.Hook));
            File.Delete(path);
            RemoveUnusedQdisc(pin.InterfaceIndex);
            return true;
        }
        catch (Exception exception) when (exception is LinuxException or IOException or UnauthorizedAccessException)
        {
            _logger.LinkNotRemoved(path, exception.Message);
            return false;
        }
    }

    private string PathOf(DevicePin pin) => Path.Combine(_directory, pin.FilterFileName);

    private string QdiscPath(int index) => Path.Combine(_directory, string.Create(CultureInfo.InvariantCulture, $"{QdiscPrefix}{index}"));

    private static bool IsEgress(DevicePin pin) => pin.Hook == DeviceHook.TcxEgress;

    // Two filters of one direction never get into each other's way.
    private static uint HandleOf(DeviceHook hook) => hook == DeviceHook.TcxPod ? 2u : 1u;

    private static ClsactFilter? Holder(DevicePin pin) => ClsactFilters.List(pin.InterfaceIndex, IsEgress(pin))
        .FirstOrDefault(filter => filter.Priority == Priority && filter.Handle == HandleOf(pin.Hook));

    private void Put(DevicePin pin, BpfProgram program, bool mayReplace) =>
        ClsactFilters.Put(program, pin.InterfaceIndex, IsEgress(pin), Priority, HandleOf(pin.Hook), _owner, mayReplace);

    private static void Mark(string path, BpfProgram program)
    {
        File.Delete(path + NewSuffix);
        program.Pin(path + NewSuffix);
        File.Move(path + NewSuffix, path, overwrite: true);
    }

    // One that others made, or that is made twice, is not ours to remove: a mark too few leaves an empty qdisc, one too many takes one away.
    private void AddQdisc(int index, BpfProgram program)
    {
        if (ClsactFilters.TryAddQdisc(index))
        {
            Mark(QdiscPath(index), program);
            return;
        }

        string kind = ClsactFilters.QdiscKind(index);
        if (kind != "clsact")
        {
            throw new LinuxException(
                $"add qdisc clsact to device {index}", Errno.EEXIST, $"qdisc '{kind}' is in its place; it was left there. Its owner may use clsact");
        }
    }

    private void RemoveUnusedQdisc(int index)
    {
        if (!File.Exists(QdiscPath(index)) || Pins().Any(pin => pin.InterfaceIndex == index))
            return;

        // With the filters of others it is theirs.
        if (ClsactFilters.List(index, egress: false).Count + ClsactFilters.List(index, egress: true).Count == 0)
            ClsactFilters.RemoveQdisc(index);
        File.Delete(QdiscPath(index));
    }
}
