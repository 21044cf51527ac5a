// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Devices;
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Netlink;
using EbpfLb.Linux.Processes;
using Microsoft.Extensions.Logging.Abstractions;

namespace EbpfLb.Datapath.Inspection;

/// <summary>A network device with links of ours, or one that the agent calls attached.</summary>
/// <param name="Name">Null when the device is gone, or belongs to another network namespace than this process.</param>
/// <param name="IsGone">False where this process cannot tell.</param>
/// <param name="SaidAttached">The agent says that programs see what comes in here.</param>
/// <param name="XdpMode">Of our XDP program; none where there is no such, or this process cannot tell.</param>
/// <param name="Links">In the order of <see cref="Hook"/>; what is not there was not wanted, or is lost.</param>
public sealed record DeviceView(
    uint Index, string? Name, bool IsGone, bool SaidAttached, XdpMode XdpMode, IReadOnlyList<DeviceLink> Links)
{
    /// <summary>Of an XDP program that is not ours; null where there is none, or this process cannot tell.</summary>
    public ForeignXdp? ForeignXdp { get; init; }

    public bool IsPod => Links.Any(link => link.Hook == Hook.TcPod);

    public bool IsAttached => Links.Any(link => link is { State: HookState.Attached, Hook: not Hook.TcEgress });

    /// <summary>Null when there is no link for it.</summary>
    public DeviceLink? this[Hook hook] => Links.FirstOrDefault(link => link.Hook == hook);

    internal static IReadOnlyList<DeviceView> ReadAll(PinDirectory pins, KernelMaps? maps)
    {
        bool isHere = IsNodesNamespace(maps);
        var links = ReadLinks(pins, isHere);
        HashSet<uint> said = maps is null
            ? []
            : [.. maps.Devices.ReadAll().Where(entry => entry.Value.Flags.HasFlag(DeviceFlags.Attached)).Select(entry => entry.Key)];
        if (links.Count == 0 && said.Count == 0)
            return [];

        // An index means another device, or none, in a network namespace that is not the node's.
        var devices = isHere ? NetworkDump.Links().ToDictionary(device => (uint)device.Index) : null;
        return
        [
            .. links.Select(group => group.Key).Union(said)
                .Select(index => View(index, devices, said.Contains(index), [.. links[index]]))
                .OrderBy(device => device.IsPod).ThenBy(device => device.Index),
        ];
    }

    private static DeviceView View(uint index, Dictionary<uint, NetworkLink>? devices, bool saidAttached, DeviceLink[] links)
    {
        var device = devices?.GetValueOrDefault(index);
        bool isOurs = device is { XdpProgramId: not 0 and var programId }
            && links.Any(link => link.Hook == Hook.Xdp && link.ProgramId == programId);
        return new DeviceView(
            index, device?.Name, devices is not null && device is null, saidAttached, isOurs ? device!.XdpMode : XdpMode.None, links)
        {
            ForeignXdp = !isOurs && device is { XdpProgramId: not 0 and var foreign } ? new ForeignXdp(foreign, NameOf(foreign)) : null,
        };
    }

    private static string NameOf(uint program)
    {
        try
        {
            using var one = BpfProgram.FromId(program);
            return one.Info.Name;
        }
        catch (LinuxException)
        {
            // Gone meanwhile, or CAP_SYS_ADMIN is missing; the id alone serves.
            return "";
        }
    }

    private static bool IsNodesNamespace(KernelMaps? maps)
    {
        ulong node = maps?.Settings.Get<SettingsValue>(0).NodeNetns ?? 0;
        return node == 0 || node == NetworkNamespace.CurrentCookie();
    }

    private static ILookup<uint, DeviceLink> ReadLinks(PinDirectory pins, bool isNodesNamespace)
    {
        string[] paths = Directory.Exists(pins.Links) ? Directory.GetFiles(pins.Links) : [];
        var filters = new ClsactHold(pins.Filters, NullLogger.Instance);
        return paths.Select(Parse)
            .Where(pin => pin is not null)
            .Select(pin => (pin!.Value.Index, Link: ReadLink(pin.Value.Path, pin.Value.Hook)))
            .Concat(filters.Pins()
                .Select(pin => ((uint)pin.InterfaceIndex, Link: (DeviceLink?)ReadFilter(filters, pin, isNodesNamespace))))
            .Where(entry => entry.Link is not null)
            .OrderBy(entry => entry.Link!.Hook)
            .ToLookup(entry => entry.Item1, entry => entry.Link!);
    }

    // From another namespace it cannot be looked up: its pin says that it was made, and not removed by us.
    private static DeviceLink ReadFilter(ClsactHold filters, DevicePin pin, bool isNodesNamespace)
    {
        var hook = HookOf(pin.Hook);
        uint id = isNodesNamespace ? filters.Find(pin)?.ProgramId ?? 0 : filters.ProgramOf(pin);
        return new DeviceLink(hook, id == 0 ? HookState.Detached : HookState.Attached, id, IsFilter: true);
    }

    private static (string Path, Hook Hook, uint Index)? Parse(string path) =>
        DevicePin.TryParse(Path.GetFileName(path), out var pin) ? (path, HookOf(pin.Hook), (uint)pin.InterfaceIndex) : null;

    private static Hook HookOf(DeviceHook hook) => hook switch
    {
        DeviceHook.Xdp => Hook.Xdp,
        DeviceHook.TcxIngress => Hook.TcIngress,
        DeviceHook.TcxPod => Hook.TcPod,
        _ => Hook.TcEgress,
    };

    private static DeviceLink? ReadLink(string path, Hook hook)
    {
        if (!BpfLink.TryOpenPinned(path, out var link))
            return null;

        using (link)
        {
            try
            {
                // A link outlives its device, and a detachment by others, with its program; only the device is gone from it.
                var info = link.Info;
                return info.Type is BpfLinkType.Xdp or BpfLinkType.Tcx && info.InterfaceIndex > 0
                    ? new DeviceLink(hook, HookState.Attached, info.ProgramId)
                    : new DeviceLink(hook, HookState.Detached, 0);
            }
            catch (LinuxException exception) when (exception.Errno == Errno.ENOLINK)
            {
                return new DeviceLink(hook, HookState.Detached, 0);
            }
        }
    }
}

/// <param name="ProgramId">0 unless attached.</param>
/// <param name="IsFilter">A filter of clsact, on a kernel without tcx.</param>
public sealed record DeviceLink(Hook Hook, HookState State, uint ProgramId, bool IsFilter = false);

/// <param name="Name">Empty when it cannot be read.</param>
public sealed record ForeignXdp(uint ProgramId, string Name);
