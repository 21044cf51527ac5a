// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Agent.Metrics;

internal sealed class Gauge : Metric
{
    private double _value;

    public void Set(double value) => Volatile.Write(ref _value, value);

    public override void Write(Exposition exposition, string name, string labels) =>
        exposition.Sample(name, labels, Volatile.Read(ref _value));
}
