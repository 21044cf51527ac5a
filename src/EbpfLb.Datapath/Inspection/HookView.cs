// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Loading;
using EbpfLb.Linux;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Datapath.Inspection;

/// <summary>A cgroup hook the datapath needs, and whether our program is on it.</summary>
/// <param name="Program">The program that belongs there.</param>
/// <param name="AttachType">The hook, as linux/bpf.h counts them.</param>
/// <param name="ProgramId">0 unless attached.</param>
/// <param name="CgroupId">0 unless attached.</param>
public sealed record HookView(string Program, string AttachType, HookState State, uint ProgramId, ulong CgroupId)
{
    internal static IReadOnlyList<HookView> ReadAll(PinDirectory pins) => [.. SocketHook.All.Select(hook => Read(pins, hook))];

    private static HookView Read(PinDirectory pins, SocketHook hook)
    {
        string type = hook.AttachType.ToString();
        if (!BpfLink.TryOpenPinned(Path.Combine(pins.Links, hook.Program), out var link))
            return new HookView(hook.Program, type, HookState.Missing, 0, 0);

        using (link)
        {
            try
            {
                var info = link.Info;
                return info is { ProgramId: not 0, CgroupId: not 0 }
                    ? new HookView(hook.Program, type, HookState.Attached, info.ProgramId, info.CgroupId)
                    : new HookView(hook.Program, type, HookState.Detached, 0, 0);
            }
            catch (LinuxException exception) when (exception.Errno == Errno.ENOLINK)
            {
                return new HookView(hook.Program, type, HookState.Detached, 0, 0);
            }
        }
    }
}

public enum HookState
{
    Attached,

    /// <summary>There is no link.</summary>
    Missing,

    /// <summary>The link is there, but somebody detached it or removed its cgroup.</summary>
    Detached,
}
