// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Concurrent;
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Migration;
using EbpfLb.Datapath.Status;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Agent;

/// <summary>
/// Gives a map that fills room for twice as much. Any task notes how full one is; it grows in the task of the reconcile loop, between two
/// runs, because nobody else may write the maps of services meanwhile.
/// </summary>
/// <param name="resize">Gives maps these sizes.</param>
/// <param name="sizeOf">Entries a map has room for.</param>
/// <param name="chosen">Maps whose size the operator has chosen; they keep it.</param>
internal sealed class MapGrowth(
    Func<IReadOnlyDictionary<string, uint>, CancellationToken, Task<MigrationResult>> resize, Func<string, uint> sizeOf,
    IReadOnlySet<string> chosen, MapGrowthOptions options, TimeProvider time, ILogger<MapGrowth> logger)
{
    private readonly ConcurrentDictionary<string, uint> _wanted = [];
    private long _failedAt;
    private Problem? _problem;

    /// <summary>Told by whoever noted it that a map is to grow.</summary>
    public Action? Due { get; set; }

    /// <summary>Told after maps have grown, with their sizes.</summary>
    public Action<IReadOnlyDictionary<string, uint>>? Grown { get; set; }

    /// <summary>Any thread may read it.</summary>
    public IReadOnlyList<Problem> Problems => Volatile.Read(ref _problem) is { } problem ? [problem] : [];

    /// <summary>From any thread.</summary>
    public void Note(MapFill fill)
    {
        uint ceiling = options.CeilingOf(fill.Map);
        if (chosen.Contains(fill.Map) || fill.MaxEntries >= ceiling || fill.Used < options.GrowAt * fill.MaxEntries)
            return;

        uint size = (uint)ulong.Min(2ul * fill.MaxEntries, ceiling);
        if (_wanted.TryAdd(fill.Map, size))
            Due?.Invoke();
    }

    /// <summary>The map did not take what it was to take at once. From any thread.</summary>
    public void Refused(string map) => Note(new MapFill(map, ulong.MaxValue, sizeOf(map)));

    /// <summary>What is due, at once. What fails is tried again a while later, if it is still wanted.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        if (_wanted.IsEmpty)
            return;

        // Noted before the last growth ended, of the map before it.
        var sizes = _wanted.Where(wanted => wanted.Value > sizeOf(wanted.Key)).ToDictionary();
        _wanted.Clear();
        if (sizes.Count == 0 || (_problem is not null && time.GetElapsedTime(_failedAt) < options.RetryInterval))
            return;

        try
        {
            var result = await resize(sizes, stopping).ConfigureAwait(false);
            logger.MapsGrown(Text(sizes), result.Copied, result.Late, result.Switch.TotalMilliseconds);
            Volatile.Write(ref _problem, null);
            Grown?.Invoke(sizes);
        }
        catch (DatapathException exception)
        {
            _failedAt = time.GetTimestamp();
            var problem = new Problem(
                sizes.Keys.Order(StringComparer.Ordinal).First(),
                $"{Text(sizes)} could not be had, so these maps stay as large as they are: {exception.Message.TrimEnd('.')}. It is tried again.");
            if (problem != _problem)
                logger.MapsNotGrown(problem.Message);
            Volatile.Write(ref _problem, problem);
        }
    }

    private static string Text(Dictionary<string, uint> sizes) =>
        string.Join(", ", sizes.OrderBy(size => size.Key, StringComparer.Ordinal).Select(size => $"{size.Key}={size.Value}"));
}
