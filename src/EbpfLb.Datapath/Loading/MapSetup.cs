// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Migration;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Processes;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Datapath.Loading;

/// <summary>The maps of this build at the start of an agent: those that are missing, of an earlier version, or of another size than is asked for.</summary>
internal sealed class MapSetup(PinDirectory pins, ObjectLoader loader, DatapathOptions options, ILogger logger)
{
    private readonly MapMigration _migration = new(pins, loader, options.Conversions, options.MigrationReached);

    /// <param name="loadPrograms">Over the maps that <see cref="ObjectLoader.PinOf"/> names.</param>
    public async Task EnsureAsync(Func<Task> loadPrograms, CancellationToken stopping)
    {
        SchemaVersion.RefuseNewer(pins);
        ObjectLoader.RemoveTree(pins.Staging);
        if (_migration.IsUnderWay)
        {
            Log.MigrationResumed(logger, pins.Next);
            _migration.Resume();
            await CompleteAsync([], stopping).ConfigureAwait(false);
            await loadPrograms().ConfigureAwait(false);
            Tell(_migration.Finish());
        }

        string[] converted = [.. MapNames.All.Where(_migration.HasPredecessor)];
        await CompleteAsync(converted, stopping).ConfigureAwait(false);
        string[] replaced = [.. converted, .. Resized()];
        if (replaced.Length > 0)
            await MigrateAsync(replaced, loadPrograms, stopping).ConfigureAwait(false);
        _migration.RemoveOlder();
    }

    // Maps that exist keep their content.
    private async Task CompleteAsync(string[] converted, CancellationToken stopping)
    {
        string[] missing = [.. MapNames.All.Where(name => !converted.Contains(name) && !File.Exists(loader.PinOf(name)))];
        await loader.CreateMapsAsync(missing, pins.Path, options.MapSizes, stopping).ConfigureAwait(false);
        ObjectLoader.RemoveTree(pins.Staging);
    }

    private async Task MigrateAsync(string[] names, Func<Task> loadPrograms, CancellationToken stopping)
    {
        try
        {
            await _migration.PrepareAsync(names, options.MapSizes, loadPrograms, stopping).ConfigureAwait(false);
            Tell(_migration.Replace());
        }
        catch (DatapathException)
        {
            _migration.Abandon();
            throw;
        }
    }

    private IEnumerable<string> Resized()
    {
        foreach (var (name, size) in options.MapSizes)
        {
            if (!File.Exists(pins.Map(name)))
                continue;

            using var map = BpfMap.OpenPinned(pins.Map(name));
            if (map.Info.MaxEntries == size)
                continue;

            ulong used = map.Info.MaxEntries < size ? 0 : MapCopy.Used(map);
            if (used == 0 || used + Headroom(map.Info.Type) <= size)
                yield return name;
            else
                Log.MapKeepsItsSize(logger, name, map.Info.MaxEntries, used, size);
        }
    }

    // Each CPU takes free entries of an LRU map 128 at a time, and what is left of it gives up old ones for the next 128.
    private static ulong Headroom(BpfMapType type) =>
        type is BpfMapType.LruHash or BpfMapType.LruPercpuHash ? 128 * (ulong)PossibleCpus.Count : 0;

    private void Tell(MigrationResult result) =>
        Log.MapsReplaced(logger, result.Copied, result.Late, result.Switch.TotalMilliseconds);
}
