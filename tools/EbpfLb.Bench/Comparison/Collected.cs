// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Comparison;

/// <summary>
/// The figures of a run as they come. What a mode could not do in one round it has no figures of at all: values of equal index are of the
/// same round.
/// </summary>
internal sealed class Collected
{
    private readonly Dictionary<Key, List<double>> _values = [];
    private readonly Dictionary<Key, SortedDictionary<double, long>> _durations = [];
    private readonly Dictionary<Key, List<(long Failures, double Share)>> _turns = [];
    private readonly Dictionary<Key, string> _omitted = [];

    private readonly record struct Key(string Measure, string Mode, int Services);

    public void Add(Measure measure, string mode, int services, double value)
    {
        var key = new Key(measure.Id, mode, services);
        if (_omitted.ContainsKey(key))
            return;
        if (!_values.TryGetValue(key, out var values))
            _values.Add(key, values = []);
        values.Add(value);
    }

    /// <param name="failures">Of the operations of the turn.</param>
    /// <param name="share">Of one processor, that the generator took.</param>
    public void AddTurn(Measure measure, string mode, int services, double value, long failures, double share)
    {
        Add(measure, mode, services, value);
        var key = new Key(measure.Id, mode, services);
        if (_omitted.ContainsKey(key))
            return;
        if (!_turns.TryGetValue(key, out var turns))
            _turns.Add(key, turns = []);
        turns.Add((failures, Math.Round(share, 3)));
    }

    public void AddDurations(Measure measure, string mode, int services, IEnumerable<Bucket> buckets)
    {
        var key = new Key(measure.Id, mode, services);
        if (_omitted.ContainsKey(key))
            return;
        if (!_durations.TryGetValue(key, out var counts))
            _durations.Add(key, counts = []);
        foreach (var bucket in buckets)
            counts[bucket.UpTo] = counts.GetValueOrDefault(bucket.UpTo) + bucket.Count;
    }

    /// <summary>The first reason stays.</summary>
    public void Omit(Measure measure, string mode, int services, string reason)
    {
        var key = new Key(measure.Id, mode, services);
        _values.Remove(key);
        _durations.Remove(key);
        _turns.Remove(key);
        _omitted.TryAdd(key, reason);
    }

    public bool IsOmitted(Measure measure, string mode, int services) => _omitted.ContainsKey(new Key(measure.Id, mode, services));

    public double? Median(Measure measure, string mode, int services) =>
        _values.TryGetValue(new Key(measure.Id, mode, services), out var values) ? new Measuring.Sample(values).Median : null;

    public IReadOnlyList<Series> Series() =>
        [.. InOrder(_values).Select(entry => Series(entry.Key, entry.Value))];

    public IReadOnlyList<Distribution> Distributions() => [.. InOrder(_durations).Select(entry => Distribution(entry.Key, entry.Value))];

    public IReadOnlyList<Omission> Omissions() =>
        [.. InOrder(_omitted).Select(entry => new Omission(entry.Key.Measure, entry.Key.Mode, entry.Key.Services, entry.Value))];

    private static IEnumerable<KeyValuePair<Key, T>> InOrder<T>(Dictionary<Key, T> figures) => figures
        .OrderBy(entry => IndexOf(Measure.All.Select(measure => measure.Id), entry.Key.Measure))
        .ThenBy(entry => entry.Key.Services)
        .ThenBy(entry => IndexOf(Mode.All, entry.Key.Mode));

    private static int IndexOf(IEnumerable<string> names, string name) => names.TakeWhile(other => other != name).Count();

    private Series Series(Key key, List<double> values)
    {
        var turns = _turns.GetValueOrDefault(key);
        return new Series(
            key.Measure, key.Mode, key.Services, values,
            turns?.ConvertAll(turn => turn.Failures), turns?.ConvertAll(turn => turn.Share));
    }

    private static Distribution Distribution(Key key, SortedDictionary<double, long> counts)
    {
        long total = counts.Values.Sum();
        return new Distribution(
            key.Measure, key.Mode, key.Services, total, Percentile(0.5), Percentile(0.99), Percentile(0.999),
            [.. counts.Select(bucket => new Bucket(bucket.Key, bucket.Value))]);

        // The end of the bucket that it lies in.
        double Percentile(double fraction)
        {
            long rank = Math.Max(1, (long)Math.Ceiling(fraction * total));
            foreach (var (upTo, count) in counts)
            {
                rank -= count;
                if (rank <= 0)
                    return upTo;
            }

            return 0;
        }
    }
}
