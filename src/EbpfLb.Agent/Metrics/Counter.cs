// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Agent.Metrics;

internal sealed class Counter : Metric
{
    private long _value;

    public void Add(long count = 1) => Interlocked.Add(ref _value, count);

    public override void Write(Exposition exposition, string name, string labels) =>
        exposition.Sample(name, labels, Interlocked.Read(ref _value));
}
