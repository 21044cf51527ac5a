// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Datapath.Migration;

/// <summary>Puts maps of another size or layout in place of those that programs use, without a packet noticing.</summary>
/// <remarks>
/// <list type="number">
/// <item>the new maps are made in the staging directory, and programs are loaded over them and those that stay;</item>
/// <item>they are filled, twice where programs write: the second time there is little left that can change;</item>
/// <item>their directory gets its name, <c>next</c>: until then a start throws everything away, from then on it goes forward;</item>
/// <item>every link is updated to the new programs;</item>
/// <item>what the old programs wrote in between is carried over;</item>
/// <item>the pins of the new maps replace those of the old ones, which the kernel frees once nobody has them open.</item>
/// </list>
/// No program ever uses a map that is not complete but for the entries of the last moments, and all maps of a program are of one set.
/// </remarks>
/// <param name="reached">Told of each step.</param>
internal sealed class MapMigration(
    PinDirectory pins, ObjectLoader loader, IReadOnlyList<MapConversion> conversions, Action<MigrationStep>? reached = null)
{
    private bool _isLoading;

    private string Staged => Path.Combine(pins.Staging, "next");

    /// <summary>Whether an agent was killed after it had filled the maps in <c>next</c>.</summary>
    public bool IsUnderWay => Directory.Exists(pins.Next);

    /// <summary>Whether it can only go forward now.</summary>
    public bool IsCommitted { get; private set; }

    /// <summary>The version before a map that is missing, if its entries can be converted.</summary>
    public bool HasPredecessor(string name) =>
        !File.Exists(pins.Map(name)) && SchemaVersion.FindOlder(pins, name).Any(older => ConversionOf(older, name) is not null);

    /// <summary>The first two steps, while everything goes on as it was.</summary>
    /// <param name="names">Of the maps that are to be replaced.</param>
    /// <param name="sizes">Where they differ from bpf/lib/maps.h.</param>
    /// <exception cref="DatapathException">It cannot be done; nothing has changed.</exception>
    public async Task PrepareAsync(
        IReadOnlyCollection<string> names, IReadOnlyDictionary<string, uint> sizes, Func<Task> loadPrograms, CancellationToken stopping)
    {
        ObjectLoader.RemoveTree(pins.Staging);
        Directory.CreateDirectory(Staged);
        await loader.CreateMapsAsync(names, Staged, sizes, stopping).ConfigureAwait(false);
        loader.PinOf = name => names.Contains(name) ? Path.Combine(Staged, name) : pins.Map(name);
        CheckShapes();
        reached?.Invoke(MigrationStep.Staged);
        _isLoading = true;
        await loadPrograms().ConfigureAwait(false);
        reached?.Invoke(MigrationStep.Loaded);
        Fill(name => EntryMerges.Of(name) is not null);
    }

    /// <summary>The steps that nobody else's writes may come between, or changes of links.</summary>
    public MigrationResult Replace()
    {
        long copied = Fill(_ => true);
        reached?.Invoke(MigrationStep.Filled);
        Directory.Move(Staged, pins.Next);
        IsCommitted = true;
        ObjectLoader.RemoveTree(pins.Staging);
        reached?.Invoke(MigrationStep.Committed);
        return Finish() with { Copied = copied };
    }

    /// <summary>Before the programs are loaded that <see cref="Finish"/> puts in place.</summary>
    public void Resume()
    {
        string[] next = NamesIn(pins.Next);
        loader.PinOf = name => next.Contains(name) ? Path.Combine(pins.Next, name) : pins.Map(name);
    }

    /// <summary>From the switch on. Whatever was done of it before is found done.</summary>
    public MigrationResult Finish()
    {
        long start = TimeProvider.System.GetTimestamp();
        new PinnedLinks(pins).Switch(loader.ProgramDirectory, () => reached?.Invoke(MigrationStep.SwitchedOne));
        var switched = TimeProvider.System.GetElapsedTime(start);
        reached?.Invoke(MigrationStep.Switched);
        string[] names = NamesIn(pins.Next);
        long late = 0;
        foreach (string name in names)
        {
            if (EntryMerges.Of(name) is { } merge)
                late += Copy(name, Path.Combine(pins.Next, name), copy => copy.Complete(merge)) ?? 0;
        }

        reached?.Invoke(MigrationStep.Completed);
        foreach (string name in names)
        {
            File.Move(Path.Combine(pins.Next, name), pins.Map(name), overwrite: true);
            reached?.Invoke(MigrationStep.PinnedOne);
        }

        loader.PinOf = pins.Map;
        reached?.Invoke(MigrationStep.Pinned);
        ObjectLoader.RemoveTree(pins.Next);
        return new MigrationResult(0, late, switched);
    }

    /// <summary>Removes what was made, when nothing has changed over yet.</summary>
    public void Abandon()
    {
        if (_isLoading)
            loader.RemoveOwnPrograms();
        loader.PinOf = pins.Map;
        ObjectLoader.RemoveTree(pins.Staging);
    }

    /// <summary>Earlier versions of maps whose own version is in place.</summary>
    public void RemoveOlder()
    {
        foreach (string name in MapNames.All.Where(name => File.Exists(pins.Map(name))))
        {
            foreach (string older in SchemaVersion.FindOlder(pins, name).ToArray())
                File.Delete(pins.Map(older));
        }
    }

    // bpftool loads programs over maps of any.
    private void CheckShapes() => KernelMaps.Open(loader.PinOf, writable: false).Dispose();

    private static string[] NamesIn(string directory) => [.. Directory.GetFiles(directory).Select(pin => Path.GetFileName(pin)!)];

    private long Fill(Func<string, bool> isMeant) =>
        NamesIn(Staged).Where(isMeant).Sum(name => Copy(name, Path.Combine(Staged, name), copy => copy.Fill()) ?? throw new DatapathException(
            $"{pins.Map(name)} is gone, and with it the entries that were to be copied, so nothing was replaced. Somebody removed it."));

    // From the map of the same name, or the latest version before it that can be converted. Null when there is neither.
    private long? Copy(string name, string pin, Func<MapCopy, long> copy)
    {
        var conversion = File.Exists(pins.Map(name))
            ? MapConversion.Identity(name)
            : SchemaVersion.FindOlder(pins, name).Select(older => ConversionOf(older, name)).FirstOrDefault(found => found is not null);
        if (conversion is null)
            return null;

        using var from = BpfMap.OpenPinned(pins.Map(conversion.From));
        using var to = BpfMap.OpenPinned(pin);
        return copy(new MapCopy(from, to, conversion.Convert));
    }

    private MapConversion? ConversionOf(string from, string to) =>
        conversions.FirstOrDefault(conversion => conversion.From == from && conversion.To == to);
}
