// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Audit;
using EbpfLb.Datapath.Devices;
using EbpfLb.Linux;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Cgroups;

namespace EbpfLb.Datapath.Loading;

/// <summary>
/// The pinned links that hold the socket programs on their cgroup hooks. A descriptor of each is kept, so that whoever removes a pin takes
/// no program off. Owned by one task.
/// </summary>
internal sealed class SocketHookLinks(PinDirectory pins) : IDisposable
{
    // No dot: a BPF file system refuses names that have one.
    private const string NewSuffix = "_new";

    private readonly Dictionary<SocketHook, BpfLink> _held = [];

    /// <param name="Created">Made by this call.</param>
    /// <param name="PutBack">What had been there for an earlier call and was gone.</param>
    /// <param name="Refused">Hooks that foreign programs keep from us, one text a family.</param>
    public sealed record Result(int Created, int Updated, int Kept, IReadOnlyList<Divergence> PutBack, IReadOnlyList<string> Refused);

    /// <summary>
    /// Puts every program in place. A link on this cgroup is updated in one step; links that are missing, or on another cgroup, are all
    /// made before the first pin is replaced. So no hook is ever empty that was not. A family one of whose hooks is held by a foreign
    /// program gets no new link at all: half of its hooks would translate what nothing turns back.
    /// </summary>
    /// <param name="programs">By name.</param>
    /// <exception cref="DatapathException">A hook is refused, and programs of another cgroup serve until it is not; or for another cause.</exception>
    public Result Attach(CgroupDirectory cgroup, IReadOnlyDictionary<string, BpfProgram> programs)
    {
        Directory.CreateDirectory(pins.Links);
        var missing = new List<SocketHook>();
        var putBack = new List<Divergence>();
        bool serveElsewhere = false;
        int updated = 0, kept = 0;
        foreach (var hook in SocketHook.All)
        {
            bool wasHeld = _held.ContainsKey(hook);
            if (Find(hook, cgroup, ref serveElsewhere) is not { } link)
            {
                missing.Add(hook);
                if (wasHeld)
                    putBack.Add(new Divergence(Installation.Links, DivergenceKind.Missing, hook.Program, ""));
                continue;
            }

            if (!IsPinned(hook, link))
            {
                File.Delete(Pin(hook));
                link.Pin(Pin(hook));
                putBack.Add(new Divergence(Installation.Pins, DivergenceKind.Missing, $"links/{hook.Program}", ""));
            }

            if (Update(link, programs[hook.Program]))
                updated++;
            else
                kept++;
        }

        var refused = new List<string>();
        var fresh = missing.GroupBy(hook => hook.IsIPv6).SelectMany(family => CreateAll(family, cgroup, programs, serveElsewhere, refused)).ToArray();
        foreach (var (hook, link) in fresh)
        {
            File.Delete(Pin(hook) + NewSuffix);
            link.Pin(Pin(hook) + NewSuffix);
            File.Move(Pin(hook) + NewSuffix, Pin(hook), overwrite: true);
        }

        putBack.RemoveAll(found => found.Where == Installation.Links && !fresh.Any(entry => entry.Hook.Program == found.Key));
        return new Result(fresh.Length, updated, kept, putBack, refused);
    }

    /// <summary>Of hooks that this version does not use: another version's programs would go on without anybody who keeps their maps.</summary>
    public void RemoveUnknown()
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

    public void Dispose()
    {
        foreach (var link in _held.Values)
            link.Dispose();
        _held.Clear();
    }

    private string Pin(SocketHook hook) => Path.Combine(pins.Links, hook.Program);

    // Null when it was detached behind our back, its cgroup is gone, or another cgroup was chosen.
    private BpfLink? Find(SocketHook hook, CgroupDirectory cgroup, ref bool servesElsewhere)
    {
        if (!_held.TryGetValue(hook, out var link) && !BpfLink.TryOpenPinned(Pin(hook), out link))
            return null;

        ulong where = link.Info.CgroupId;
        if (where == cgroup.Id)
        {
            _held[hook] = link;
            return link;
        }

        servesElsewhere |= where != 0;
        _held.Remove(hook);
        link.Dispose();
        return null;
    }

    private bool IsPinned(SocketHook hook, BpfLink link)
    {
        if (!BpfLink.TryOpenPinned(Pin(hook), out var pinned))
            return false;

        using (pinned)
            return pinned.Info.Id == link.Info.Id;
    }

    private static bool Update(BpfLink link, BpfProgram program)
    {
        if (link.Info.ProgramId == program.Info.Id)
            return false;

        link.Update(program);
        return true;
    }

    private List<(SocketHook Hook, BpfLink Link)> CreateAll(
        IEnumerable<SocketHook> hooks, CgroupDirectory cgroup, IReadOnlyDictionary<string, BpfProgram> programs, bool mustNotRefuse,
        List<string> refused)
    {
        var created = new List<(SocketHook Hook, BpfLink Link)>();
        try
        {
            foreach (var hook in hooks)
            {
                if (TryCreate(programs[hook.Program], hook, cgroup, out string refusal) is { } link)
                    created.Add((hook, link));
                else if (mustNotRefuse)
                    throw new DatapathException(refusal);
                else
                {
                    refused.Add(refusal);
                    DisposeAll();
                    return [];
                }
            }
        }
        catch
        {
            DisposeAll();
            throw;
        }

        foreach (var (hook, link) in created)
            _held[hook] = link;
        return created;

        void DisposeAll() => created.ForEach(entry => entry.Link.Dispose());
    }

    // Null when a foreign program holds the hook.
    private static BpfLink? TryCreate(BpfProgram program, SocketHook hook, CgroupDirectory cgroup, out string refusal)
    {
        refusal = "";
        try
        {
            return BpfLink.AttachCgroup(program, cgroup, hook.AttachType);
        }
        catch (LinuxException exception) when (exception.Errno == Errno.EPERM && Holder(cgroup, hook) is { } holder)
        {
            refusal = $"{hook.AttachType} of cgroup {cgroup.Path} is held by {holder}, attached without BPF_F_ALLOW_MULTI, so nothing can stand "
                + "beside it. It was not touched. Detach it (bpftool cgroup detach), have its owner attach it with 'multi', or choose another "
                + "--cgroup.";
            return null;
        }
        catch (LinuxException exception)
        {
            throw new DatapathException(
                $"Program {hook.Program} cannot be attached to {hook.AttachType} of cgroup {cgroup.Path}: {exception.Message}", exception);
        }
    }

    // Here or at an ancestor.
    private static string? Holder(CgroupDirectory cgroup, SocketHook hook)
    {
        const uint BPF_F_ALLOW_MULTI = 2;
        for (string? path = Path.GetFullPath(cgroup.Path); path is not null; path = Path.GetDirectoryName(path))
        {
            try
            {
                using var directory = CgroupDirectory.Open(path);
                var ids = BpfCgroup.QueryPrograms(directory, hook.AttachType, effective: false, out uint flags);
                if (ids.Count > 0 && flags != BPF_F_ALLOW_MULTI)
                    return $"{string.Join(" and ", ids.Select(id => $"program {id}{NameOf(id)}"))} of cgroup {path}";
            }
            catch (LinuxException)
            {
                // Above the mount, or not ours to enter.
                return null;
            }
        }

        return null;
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
