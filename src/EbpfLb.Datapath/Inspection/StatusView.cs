// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Maps;

namespace EbpfLb.Datapath.Inspection;

/// <summary>The state of a node's datapath and agent, and what to think of it.</summary>
/// <param name="PinPath">Null when nothing is installed.</param>
/// <param name="Agent">Null when the maps cannot be read.</param>
/// <param name="Devices">Uplinks first, then those of pods.</param>
/// <param name="Cgroups">Where the attached programs are; one, unless somebody moved some.</param>
public sealed record StatusView(
    string? PinPath,
    KernelView Kernel,
    AgentView? Agent,
    IReadOnlyList<HookView> Hooks,
    IReadOnlyList<CgroupView> Cgroups,
    IReadOnlyList<DeviceView> Devices,
    IReadOnlyList<MapView> Maps,
    IReadOnlyList<ProblemView> Problems,
    Verdict Verdict)
{
    /// <summary>Null when the maps cannot be read.</summary>
    public AuditView? Audit { get; init; }

    /// <summary>Never throws for a datapath that is absent or broken: to say so is what it is for.</summary>
    /// <exception cref="DatapathException">The BPF file system itself cannot be found or entered.</exception>
    public static StatusView Read(string? bpffs)
    {
        using var pins = PinDirectory.TryOpen(bpffs);
        if (pins is null)
            return Unread(null, [], [], DatapathInspector.NotInstalled(bpffs).Message);

        try
        {
            using var inspector = DatapathInspector.Open(bpffs);
            return inspector.ReadStatus();
        }
        catch (DatapathException exception)
        {
            return Unread(pins.Path, HookView.ReadAll(pins), DeviceView.ReadAll(pins, maps: null), exception.Message);
        }
    }

    internal static StatusView Read(PinDirectory pins, KernelMaps maps, ulong nowNs)
    {
        var agent = AgentView.From(maps.Agent.Get<AgentValue>(0), pins.FindAgent(), nowNs);
        var hooks = HookView.ReadAll(pins);
        var devices = DeviceView.ReadAll(pins, maps);
        var attached = hooks.Where(hook => hook.State == HookState.Attached);
        return new StatusView(
            pins.Path, KernelView.Read(), agent, hooks, [.. attached.Select(hook => hook.CgroupId).Distinct().Select(CgroupView.Find)],
            devices, MapView.ReadAll(pins, maps), ProblemView.ReadAll(maps), Verdict.Of(agent, hooks, devices))
        {
            Audit = AuditView.From(maps.Audit.Get<AuditValue>(0), nowNs),
        };
    }

    // Programs that are attached go on serving, whether or not this version can read their maps.
    private static StatusView Unread(string? pinPath, IReadOnlyList<HookView> hooks, IReadOnlyList<DeviceView> devices, string reason)
    {
        bool serves = hooks.Any(hook => hook.State == HookState.Attached) || devices.Any(device => device.IsAttached);
        return new StatusView(pinPath, KernelView.Read(), null, hooks, [], devices, [], [], new Verdict(serves ? Health.Degraded : Health.Down, [reason]));
    }
}
