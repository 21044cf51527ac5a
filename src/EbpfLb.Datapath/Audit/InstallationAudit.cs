// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Inspection;
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Datapath.Audit;

/// <summary>Programs, links and pins as they should be for this build, looked at without a lock.</summary>
internal static class InstallationAudit
{
    private const UnixFileMode ForOthers =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    public static IReadOnlyList<Divergence> Find(PinDirectory pins, KernelMaps maps)
    {
        var found = new List<Divergence>();
        var programs = Programs(pins, found);
        foreach (var hook in HookView.ReadAll(pins))
        {
            if (hook.State != HookState.Attached)
                found.Add(new Divergence(Installation.Links, DivergenceKind.Missing, hook.Program, "", hook.AttachType, State(hook.State)));
            else if (programs.TryGetValue(hook.Program, out uint id) && id != hook.ProgramId)
                found.Add(new Divergence(Installation.Links, DivergenceKind.Changed, hook.Program, "", $"program {id}", $"program {hook.ProgramId}"));
        }

        foreach (var device in DeviceView.ReadAll(pins, maps))
            found.AddRange(Of(device));
        foreach (string path in Directory.EnumerateFiles(pins.Path, "*", SearchOption.AllDirectories))
        {
            var mode = File.GetUnixFileMode(path);
            if ((mode & ForOthers) != 0)
                found.Add(new Divergence(Installation.Pins, DivergenceKind.Changed, Path.GetRelativePath(pins.Path, path), "", "mode 0600", $"mode 0{Convert.ToString((int)mode, 8)}"));
        }

        return found;
    }

    // Of this build, where there are any of it; by name.
    private static Dictionary<string, uint> Programs(PinDirectory pins, List<Divergence> found)
    {
        var ids = new Dictionary<string, uint>();
        string directory = Path.Combine(pins.Programs, EmbeddedObject.HashWith(MapNames.All.Select(name => IdOf(pins.Map(name)))));
        string[] others = Directory.Exists(pins.Programs) ? Directory.GetDirectories(pins.Programs) : [];
        if (!Directory.Exists(directory) && others.Length > 0)
        {
            found.Add(new Divergence(
                Installation.Pins, DivergenceKind.Changed, "programs", "", Path.GetFileName(directory),
                string.Join(", ", others.Select(Path.GetFileName))));
            return ids;
        }

        foreach (string name in EmbeddedObject.All.Where(one => !one.IsOptional).SelectMany(one => one.Programs))
        {
            if (!BpfProgram.TryOpenPinned(Path.Combine(directory, name), out var program))
            {
                found.Add(new Divergence(Installation.Pins, DivergenceKind.Missing, $"programs/{Path.GetFileName(directory)}/{name}", ""));
                continue;
            }

            using (program)
                ids[name] = program.Info.Id;
        }

        return ids;
    }

    private static uint IdOf(string pin)
    {
        using var map = BpfMap.OpenPinned(pin);
        return map.Info.Id;
    }

    // Which devices there should be is the agent's choice.
    private static IEnumerable<Divergence> Of(DeviceView device)
    {
        if (!device.SaidAttached || device.IsGone)
            yield break;

        string name = device.Name ?? $"index {device.Index}";
        foreach (var link in device.Links.Where(link => link.State != HookState.Attached))
            yield return new Divergence(Installation.Links, DivergenceKind.Missing, $"{name} {ReasonText.Name(link.Hook)}", "", "attached", State(link.State));
        if (!device.IsAttached && device.Links.All(link => link.State == HookState.Attached))
            yield return new Divergence(Installation.Links, DivergenceKind.Missing, name, "", "attached");
    }

    private static string State(HookState state) => state == HookState.Detached ? "detached" : "";
}
