// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Concurrent;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Files;
using EbpfLb.Linux.Processes;

namespace EbpfLb.Datapath.Loading;

/// <summary>
/// Loads the objects over the live maps. Maps that exist are used as they are; programs of one build are loaded once and found again by a
/// hash of their objects and their maps, so that a restart of the same version loads nothing.
/// </summary>
internal sealed class ObjectLoader(PinDirectory pins, IBpftool bpftool) : IDisposable
{
    // The objects of a process do not change.
    private static readonly ConcurrentDictionary<EmbeddedObject, bool> s_compared = [];

    private readonly Dictionary<EmbeddedObject, MemoryFile> _checked = [];
    private string? _programDirectory;

    /// <summary>Known when the programs are in it.</summary>
    public string ProgramDirectory => _programDirectory ?? throw new InvalidOperationException("the programs are not loaded yet");

    /// <summary>Where the map of a name is that programs are loaded over. While maps are replaced it is not its own place.</summary>
    public Func<string, string> PinOf { get; set; } = pins.Map;

    /// <summary>Creates maps as the objects declare them, or after those of the same name that are in place, and pins them.</summary>
    /// <param name="directory">Where.</param>
    /// <param name="sizes">Of those that shall have another size.</param>
    public async Task CreateMapsAsync(
        IReadOnlyCollection<string> names, string directory, IReadOnlyDictionary<string, uint> sizes, CancellationToken stopping)
    {
        foreach (string name in names.Where(name => File.Exists(pins.Map(name))))
            Pin(pins.Map(name), Path.Combine(directory, name), sizes);

        string[] missing = [.. names.Where(name => !File.Exists(pins.Map(name)))];
        if (missing.Length == 0)
            return;

        var file = await OpenCheckedAsync(EmbeddedObject.All[0], stopping).ConfigureAwait(false);
        string image = Path.Combine(pins.Staging, "image");
        try
        {
            // A load makes every map that it is not given, with its type, flags and BTF.
            Directory.CreateDirectory(image);
            string maps = Path.Combine(image, "maps");
            var given = MapNames.All.Except(missing).Where(name => File.Exists(pins.Map(name))).ToDictionary(name => name, pins.Map);
            await bpftool.LoadAllAsync(file.PathForChild, Path.Combine(image, "programs"), given, maps, stopping).ConfigureAwait(false);
            foreach (string name in missing)
                Pin(Path.Combine(maps, name), Path.Combine(directory, name), sizes);
        }
        finally
        {
            RemoveTree(image);
        }
    }

    /// <summary>Loads the programs over the maps, unless this build's are loaded already.</summary>
    /// <param name="optionalToo">Whether the kernel can take those that the datapath works without.</param>
    /// <param name="refused">Told of an object that the kernel did not take and that the datapath works without.</param>
    public async Task EnsureProgramsAsync(bool optionalToo, Action<EmbeddedObject, BpftoolException> refused, CancellationToken stopping)
    {
        _programDirectory = Path.Combine(pins.Programs, EmbeddedObject.HashWith(MapIds()));
        var required = EmbeddedObject.All.Where(one => !one.IsOptional).ToArray();
        if (!required.All(IsLoaded))
        {
            // All are compared before the first is loaded.
            var files = new List<MemoryFile>();
            foreach (var one in required)
                files.Add(await OpenCheckedAsync(one, stopping).ConfigureAwait(false));
            await LoadProgramsAsync(files, stopping).ConfigureAwait(false);
        }

        foreach (var one in EmbeddedObject.All.Where(one => optionalToo && one.IsOptional && !IsLoaded(one)))
        {
            var file = await OpenCheckedAsync(one, stopping).ConfigureAwait(false);
            try
            {
                await bpftool.LoadAllAsync(file.PathForChild, ProgramDirectory, Maps(), pinMapsDirectory: null, stopping)
                    .ConfigureAwait(false);
            }
            catch (BpftoolException exception)
            {
                refused(one, exception);
            }
        }
    }

    public void Dispose()
    {
        foreach (var file in _checked.Values)
            file.Dispose();
    }

    /// <summary>Programs of other builds; after the links have left them.</summary>
    public void RemoveOtherPrograms()
    {
        foreach (string directory in Directory.EnumerateDirectories(pins.Programs).Where(path => path != ProgramDirectory).ToArray())
            RemoveTree(directory);
    }

    /// <summary>Programs over maps that did not get their place.</summary>
    public void RemoveOwnPrograms()
    {
        if (_programDirectory is not null)
            RemoveTree(_programDirectory);
    }

    /// <summary>Of BPF pins and directories.</summary>
    internal static void RemoveTree(string directory)
    {
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
    }

    // A sealed file without a name: bpftool reads exactly the bytes of this assembly, on a read-only root file system too.
    // Compared with the mirrors once, before its first use, and kept for the second.
    private async Task<MemoryFile> OpenCheckedAsync(EmbeddedObject bpfObject, CancellationToken stopping)
    {
        if (_checked.TryGetValue(bpfObject, out var known))
            return known;

        var file = MemoryFile.Create(bpfObject.Name, bpfObject.Content);
        try
        {
            if (s_compared.ContainsKey(bpfObject))
                return _checked[bpfObject] = file;

            using var btf = await bpftool.DumpBtfAsync(file.PathForChild, stopping).ConfigureAwait(false);
            var findings = LayoutCheck.Compare(btf, LayoutCheck.Scope.TypesPresent);
            if (findings.Count == 0)
            {
                s_compared[bpfObject] = true;
                return _checked[bpfObject] = file;
            }

            throw new DatapathException(
                $"The BPF object {bpfObject.Name} and this agent disagree about the maps, so neither was touched: {string.Join("; ", findings)}. "
                + "The build mixed two versions; use a released one.");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private bool IsLoaded(EmbeddedObject one) => one.Programs.All(name => File.Exists(Path.Combine(ProgramDirectory, name)));

    // One that shall have another size than its image is made after it.
    private static void Pin(string image, string pin, IReadOnlyDictionary<string, uint> sizes)
    {
        using var staged = BpfMap.OpenPinned(image);
        if (!sizes.TryGetValue(staged.Info.Name, out uint size) || size == staged.Info.MaxEntries)
        {
            staged.Pin(pin);
            return;
        }

        using var map = Create(staged.Info, size);
        map.Pin(pin);
    }

    private static BpfMap Create(BpfMapInfo image, uint size)
    {
        var spec = new BpfMapSpec(
            image.Name, image.Type, image.KeySize, image.ValueSize, size, image.Flags, image.BtfId, image.BtfKeyTypeId, image.BtfValueTypeId);
        try
        {
            return BpfMap.Create(spec);
        }
        catch (LinuxException exception) when (exception.Errno == Errno.EPERM && spec.BtfId != 0)
        {
            // Types are looked up by id, which takes CAP_SYS_ADMIN. Without them only bpftool's view of the map is poorer.
            return Create(image with { BtfId = 0, BtfKeyTypeId = 0, BtfValueTypeId = 0 }, size);
        }
        catch (LinuxException exception)
        {
            throw new DatapathException(
                $"Map {image.Name} cannot be created with {size} entries: {exception.Message}. Choose another --map-size {image.Name}=ENTRIES"
                + (exception.Errno == Errno.ENOMEM ? ", or give the agent's memory cgroup more." : "."),
                exception);
        }
    }

    // Into a directory that gets its name only when every program is in it: a killed agent leaves no half set behind.
    private async Task LoadProgramsAsync(IReadOnlyList<MemoryFile> files, CancellationToken stopping)
    {
        Directory.CreateDirectory(pins.Programs);
        string incomplete = Path.Combine(pins.Programs, "incomplete");
        RemoveTree(incomplete);
        foreach (var file in files)
            await bpftool.LoadAllAsync(file.PathForChild, incomplete, Maps(), pinMapsDirectory: null, stopping).ConfigureAwait(false);
        RemoveTree(ProgramDirectory);
        Directory.Move(incomplete, ProgramDirectory);
    }

    // Somebody may have removed the pin of a map: then there is a new map of that name, and programs that use the old one. The maps that a
    // program has for itself, its constants, do not count.
    private IEnumerable<uint> MapIds()
    {
        foreach (string name in MapNames.All)
        {
            using var map = BpfMap.OpenPinned(PinOf(name));
            yield return map.Info.Id;
        }
    }

    private Dictionary<string, string> Maps() => MapNames.All.ToDictionary(name => name, PinOf);
}
