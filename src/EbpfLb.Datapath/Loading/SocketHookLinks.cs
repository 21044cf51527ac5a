// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Devices;
using EbpfLb.Linux;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Cgroups;

namespace EbpfLb.Datapath.Loading;

/// <summary>The pinned links that hold the socket programs on their cgroup hooks.</summary>
internal sealed class SocketHookLinks(PinDirectory pins, CgroupDirectory cgroup)
{
    // No dot: a BPF file system refuses names that have one.
    private const string NewSuffix = "_new";

    public readonly record struct Result(int Created, int Updated, int Kept);

    /// <summary>
    /// Puts every program in place. A link on this cgroup is updated in one step; links that are missing, or on another cgroup, are all
    /// made before the first pin is replaced. So no hook is ever empty that was not, and a hook that refuses leaves everything as it was.
    /// </summary>
    public Result Attach(string programDirectory)
    {
        Directory.CreateDirectory(pins.Links);
        var missing = new List<(SocketHook Hook, BpfProgram Program)>();
        var fresh = new List<(string Pin, BpfLink Link)>();
        int updated = 0, kept = 0;
        try
        {
            foreach (var hook in SocketHook.All)
            {
                var program = BpfProgram.OpenPinned(Path.Combine(programDirectory, hook.Program));
                if (!IsOnThisCgroup(hook))
                {
                    missing.Add((hook, program));
                    continue;
                }

                using (program)
                {
                    if (Update(hook, program))
                        updated++;
                    else
                        kept++;
                }
            }

            foreach (var (hook, program) in missing)
                fresh.Add((Pin(hook), Create(program, hook)));
            foreach (var (pin, link) in fresh)
            {
                File.Delete(pin + NewSuffix);
                link.Pin(pin + NewSuffix);
                File.Move(pin + NewSuffix, pin, overwrite: true);
            }
        }
        finally
        {
            missing.ForEach(entry => entry.Program.Dispose());
            fresh.ForEach(entry => entry.Link.Dispose());
        }

        RemoveUnknown();
        return new Result(fresh.Count, updated, kept);
    }

    private string Pin(SocketHook hook) => Path.Combine(pins.Links, hook.Program);

    // Not when it was detached behind our back, its cgroup is gone, or another cgroup was chosen.
    private bool IsOnThisCgroup(SocketHook hook)
    {
        if (!BpfLink.TryOpenPinned(Pin(hook), out var link))
            return false;

        using (link)
            return link.Info.CgroupId == cgroup.Id;
    }

    private bool Update(SocketHook hook, BpfProgram program)
    {
        using var link = BpfLink.OpenPinned(Pin(hook));
        if (link.Info.ProgramId == program.Info.Id)
            return false;

        link.Update(program);
        return true;
    }

    // Of hooks that this version does not use: another version's programs would go on without anybody who keeps their maps.
    private void RemoveUnknown()
    {
        var known = SocketHook.All.Select(Pin).ToHashSet();
        var unknown = Directory.GetFiles(pins.Links).Where(pin => !known.Contains(pin) && !DevicePin.TryParse(Path.GetFileName(pin), out _));
        foreach (string pin in unknown)
        {
            using (var link = BpfLink.OpenPinned(pin))
                Cleanup.Detach(link);
            File.Delete(pin);
        }
    }

    private BpfLink Create(BpfProgram program, SocketHook hook)
    {
        try
        {
            return BpfLink.AttachCgroup(program, cgroup, hook.AttachType);
        }
        catch (LinuxException exception) when (exception.Errno == Errno.EPERM && Exclusive(hook) is { } holder)
        {
            throw new DatapathException(
                $"{hook.AttachType} of cgroup {cgroup.Path} is held by {holder}, attached without BPF_F_ALLOW_MULTI, so nothing can stand beside "
                + "it. It was not touched. Detach it (bpftool cgroup detach), have its owner attach it with 'multi', or choose another --cgroup.",
                exception);
        }
        catch (LinuxException exception)
        {
            throw new DatapathException(
                $"Program {hook.Program} cannot be attached to {hook.AttachType} of cgroup {cgroup.Path}: {exception.Message}", exception);
        }
    }

    // Here or at an ancestor; the effective list of a cgroup that joins nobody else's holds just that program.
    private string? Exclusive(SocketHook hook)
    {
        var ids = BpfCgroup.QueryPrograms(cgroup, hook.AttachType, effective: true, out _);
        if (ids.Count == 0)
            return null;

        return string.Join(" and ", ids.Select(id => $"program {id}{NameOf(id)}"));
    }

    private static string NameOf(uint id)
    {
        try
        {
            using var program = BpfProgram.FromId(id);
            return $" '{program.Info.Name}'";
        }
        catch (LinuxException)
        {
            // Gone meanwhile, or CAP_SYS_ADMIN is missing; the id alone serves.
            return "";
        }
    }
}
