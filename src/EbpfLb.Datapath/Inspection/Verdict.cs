// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Inspection;

public enum Health
{
    /// <summary>Services are served, and changes followed.</summary>
    Ok,

    /// <summary>Services are served, but not all of them, not everywhere, or not as of now.</summary>
    Degraded,

    /// <summary>No service is served.</summary>
    Down,
}

/// <param name="Reasons">One sentence each, the worst first; empty when all is well.</param>
public sealed record Verdict(Health Health, IReadOnlyList<string> Reasons)
{
    public static Verdict Of(AgentView agent, IReadOnlyList<HookView> hooks, IReadOnlyList<DeviceView> devices)
    {
        ArgumentNullException.ThrowIfNull(agent);
        ArgumentNullException.ThrowIfNull(hooks);
        ArgumentNullException.ThrowIfNull(devices);

        if (hooks.All(hook => hook.State != HookState.Attached) && !devices.Any(device => device.IsAttached))
        {
            return new Verdict(
                Health.Down,
                ["no program is attached, so no service is served; " + WayOut(agent)]);
        }

        var reasons = new List<string>();
        string[] absent = [.. hooks.Where(hook => hook.State != HookState.Attached).Select(hook => hook.Program)];
        if (absent.Length > 0)
            reasons.Add($"not attached: {string.Join(", ", absent)}; {WayOut(agent)}");
        if (hooks.Where(hook => hook.State == HookState.Attached).Select(hook => hook.CgroupId).Distinct().Count() > 1)
            reasons.Add("programs are attached to different cgroups; restart the agent to bring them together");
        AddDevices(agent, devices, reasons);
        AddAgent(agent, reasons);
        return new Verdict(reasons.Count == 0 ? Health.Ok : Health.Degraded, reasons);
    }

    // Which devices there should be is the agent's choice: only what it calls attached can be missed, and only on a device that is there.
    private static void AddDevices(AgentView agent, IReadOnlyList<DeviceView> devices, List<string> reasons)
    {
        string[] lost = [.. devices.Where(device => device is { SaidAttached: true, IsGone: false }).Select(Lost).OfType<string>()];
        if (lost.Length > 0)
            reasons.Add($"not attached to devices: {string.Join(", ", lost)}; {WayOut(agent)}");
    }

    private static string WayOut(AgentView agent) => agent.RunningPid is null
        ? "start the agent to attach them"
        : "the agent attaches them within 30 seconds, or its problems say why not";

    private static string? Lost(DeviceView device)
    {
        string name = device.Name ?? $"index {device.Index}";
        string[] detached = [.. device.Links.Where(link => link.State != HookState.Attached).Select(link => ReasonText.Name(link.Hook))];
        return detached.Length > 0 ? $"{name} ({string.Join(", ", detached)})" : device.IsAttached ? null : name;
    }

    private static void AddAgent(AgentView agent, List<string> reasons)
    {
        if (agent.RunningPid is null)
        {
            reasons.Add(
                "the agent is not running; the datapath serves what it last programmed, and follows no change until it is started again");
        }
        else if (agent.Syncs == 0)
            reasons.Add("the agent has not completed a sync since it started; the datapath serves what was programmed before");

        if (agent.Failed > 0)
            reasons.Add($"{Count(agent.Failed, "service")} not programmed as desired");
        else if (agent.Problems > 0)
            reasons.Add(Count(agent.Problems, "problem"));
    }

    private static string Count(uint count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";
}
