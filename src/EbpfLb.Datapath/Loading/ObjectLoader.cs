// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
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
    private readonly Dictionary<EmbeddedObject, MemoryFile> _checked = [];
    private string? _programDirectory;

    /// <summary>Known when the programs are in it.</summary>
    public string ProgramDirectory => _programDirectory ?? throw new InvalidOperationException("the programs are not loaded yet");

    /// <summary>Creates the maps that do not exist. Those that do keep their size and their content.</summary>
    public async Task EnsureMapsAsync(IReadOnlyDictionary<string, uint> sizes, CancellationToken stopping)
    {
        RemoveTree(pins.Staging);
        if (MapNames.All.All(name => File.Exists(pins.Map(name))))
            return;

        var file = await OpenCheckedAsync(EmbeddedObject.All[0], stopping).ConfigureAwait(false);
        try
        {
            await CreateMapsAsync(file.PathForChild, sizes, stopping).ConfigureAwait(false);
        }
        finally
        {
            RemoveTree(pins.Staging);
        }
    }

    /// <summary>Loads the programs over the maps, unless this build's are loaded already.</summary>
    /// <param name="optionalToo">Whether the kernel can take those that the datapath works without.</param>
    /// <param name="refused">Told of an object that the kernel did not take and that the datapath works without.</param>
    public async Task EnsureProgramsAsync(bool optionalToo, Action<EmbeddedObject, BpftoolException> refused, CancellationToken stopping)
    {
        _programDirectory = Path.Combine(pins.Programs, EmbeddedObject.HashWith(PinnedMapIds()));
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
                await bpftool.LoadAllAsync(file.PathForChild, ProgramDirectory, ExistingMaps(), pinMapsDirectory: null, stopping)
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

    /// <summary>Of BPF pins and directories, two levels deep.</summary>
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
            using var btf = await bpftool.DumpBtfAsync(file.PathForChild, stopping).ConfigureAwait(false);
            var findings = LayoutCheck.Compare(btf, LayoutCheck.Scope.TypesPresent);
            if (findings.Count == 0)
                return _checked[bpfObject] = file;

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

    // A first load makes every missing map with its type, flags and BTF as the object declares them. Those that shall have another size
    // are made again in its image; the others are kept.
    private async Task CreateMapsAsync(string path, IReadOnlyDictionary<string, uint> sizes, CancellationToken stopping)
    {
        Directory.CreateDirectory(pins.Staging);
        string stagedMaps = Path.Combine(pins.Staging, "maps");
        await bpftool.LoadAllAsync(path, Path.Combine(pins.Staging, "programs"), ExistingMaps(), stagedMaps, stopping).ConfigureAwait(false);
        foreach (string name in MapNames.All.Where(name => !File.Exists(pins.Map(name))))
        {
            using var staged = BpfMap.OpenPinned(Path.Combine(stagedMaps, name));
            if (!sizes.TryGetValue(name, out uint size) || size == staged.Info.MaxEntries)
            {
                staged.Pin(pins.Map(name));
                continue;
            }

            using var map = Create(staged.Info, size);
            map.Pin(pins.Map(name));
        }
    }

    private static BpfMap Create(BpfMapInfo image, uint size)
    {
        try
        {
            return BpfMap.Create(new BpfMapSpec(
                image.Name, image.Type, image.KeySize, image.ValueSize, size, image.Flags, image.BtfId, image.BtfKeyTypeId, image.BtfValueTypeId));
        }
        catch (LinuxException exception)
        {
            throw new DatapathException(
                $"Map {image.Name} cannot be created with {size} entries: {exception.Message}. Choose another --map-size {image.Name}=ENTRIES"
                + exception.Errno switch
                {
                    Errno.ENOMEM => ", or give the agent's memory cgroup more.",
                    Errno.EPERM => ", or none: choosing a size takes CAP_SYS_ADMIN, once, because the map's types are looked up by id.",
                    _ => ".",
                },
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
            await bpftool.LoadAllAsync(file.PathForChild, incomplete, ExistingMaps(), pinMapsDirectory: null, stopping).ConfigureAwait(false);
        RemoveTree(ProgramDirectory);
        Directory.Move(incomplete, ProgramDirectory);
    }

    // Somebody may have removed the pin of a map: then there is a new map of that name, and programs that use the old one. The maps that a
    // program has for itself, its constants, do not count.
    private IEnumerable<uint> PinnedMapIds()
    {
        foreach (string name in MapNames.All)
        {
            using var map = BpfMap.OpenPinned(pins.Map(name));
            yield return map.Info.Id;
        }
    }

    private Dictionary<string, string> ExistingMaps() =>
        MapNames.All.Where(name => File.Exists(pins.Map(name))).ToDictionary(name => name, pins.Map);
}
