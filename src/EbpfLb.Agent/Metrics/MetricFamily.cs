// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Agent.Metrics;

/// <summary>The series of one name.</summary>
/// <param name="labels">Names of the labels; empty for a family of one series.</param>
/// <param name="cap">Series it may have. What comes later is gathered in one series with "other" for every label.</param>
internal sealed class MetricFamily<T>(string name, string type, string help, string[] labels, int cap, Func<T> create)
    where T : Metric
{
    private const string Other = "other";

    // By the text of the labels. Also the lock of itself.
    private readonly SortedDictionary<string, T> _series = new(StringComparer.Ordinal);

    /// <summary>To be kept: looking it up allocates.</summary>
    public T With(params ReadOnlySpan<string> values)
    {
        if (values.Length != labels.Length)
            throw new ArgumentException($"{name} has {labels.Length} labels, not {values.Length}.", nameof(values));

        string text = Exposition.Labels(labels, values);
        lock (_series)
        {
            if (_series.TryGetValue(text, out var known))
                return known;

            if (_series.Count >= cap)
            {
                text = Exposition.Labels(labels, Enumerable.Repeat(Other, labels.Length).ToArray());
                if (_series.TryGetValue(text, out var other))
                    return other;
            }

            return _series[text] = create();
        }
    }

    public void Write(Exposition exposition)
    {
        lock (_series)
        {
            if (_series.Count == 0)
                return;

            exposition.Family(name, type, help);
            foreach (var (text, metric) in _series)
                metric.Write(exposition, name, text);
        }
    }
}
