// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Agent.Metrics;

/// <summary>What /metrics shows, in the order it was registered. Registered before it is served.</summary>
internal sealed class MetricRegistry
{
    private const int DefaultCap = 1_000;

    private readonly List<Action<Exposition>> _parts = [];

    public Counter Counter(string name, string help) => Counters(name, help, []).With();

    public Gauge Gauge(string name, string help) => Gauges(name, help, []).With();

    public MetricFamily<Counter> Counters(string name, string help, string[] labels, int cap = DefaultCap) =>
        Add(new MetricFamily<Counter>(name, "counter", help, labels, cap, static () => new Counter()));

    public MetricFamily<Gauge> Gauges(string name, string help, string[] labels, int cap = DefaultCap) =>
        Add(new MetricFamily<Gauge>(name, "gauge", help, labels, cap, static () => new Gauge()));

    public MetricFamily<Histogram> Histograms(string name, string help, string[] labels, double[] bounds, int cap = DefaultCap) =>
        Add(new MetricFamily<Histogram>(name, "histogram", help, labels, cap, () => new Histogram(bounds)));

    /// <summary>Whole families that are read when they are asked for.</summary>
    public void Add(Action<Exposition> write) => _parts.Add(write);

    public byte[] Write()
    {
        var exposition = new Exposition();
        foreach (var part in _parts)
            part(exposition);
        return exposition.ToUtf8();
    }

    private MetricFamily<T> Add<T>(MetricFamily<T> family)
        where T : Metric
    {
        _parts.Add(family.Write);
        return family;
    }
}
