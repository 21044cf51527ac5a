// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Cgroups;

namespace EbpfLb.Datapath.Loading;

/// <summary>The pinned links that hold the socket programs on their cgroup hooks.</summary>
internal sealed class SocketHookLinks(PinDirectory pins, CgroupDirectory cgroup)
{
    public readonly record struct Result(int Created, int Updated, int Kept);

    /// <summary>
    /// Puts every program in place: a link that exists is updated in one step, so that no connection meets an empty hook. A hook that
    /// refuses leaves the ones before it attached as they were or as they are now; both work.
    /// </summary>
    public Result Attach(string programDirectory)
    {
        Directory.CreateDirectory(pins.Links);
        int created = 0, updated = 0, kept = 0;
        foreach (var hook in SocketHook.All)
        {
            using var program = BpfProgram.OpenPinned(Path.Combine(programDirectory, hook.Program));
            string pin = Path.Combine(pins.Links, hook.Program);
            if (BpfLink.TryOpenPinned(pin, out var link))
            {
                using (link)
                {
                    var info = link.Info;
                    if (info.CgroupId == cgroup.Id && info.ProgramId == program.Info.Id)
                    {
                        kept++;
                        continue;
                    }

                    if (info.CgroupId == cgroup.Id)
                    {
                        link.Update(program);
                        updated++;
                        continue;
                    }
                }

                // Detached behind our back, its cgroup gone, or another cgroup chosen: this link serves nobody any more.
                File.Delete(pin);
            }

            using var fresh = Create(program, hook);
            fresh.Pin(pin);
            created++;
        }

        return new Result(created, updated, kept);
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
