// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison.Services;
using EbpfLb.Bench.Comparison.Traffic;

namespace EbpfLb.Bench.Comparison.Modes;

/// <summary>One way to serve the services, on a node of its own.</summary>
internal abstract class ServiceMode(string name, ComparedNode node) : IDisposable
{
    /// <summary>Of <see cref="Results.Mode"/>.</summary>
    public string Name { get; } = name;

    public ComparedNode Node { get; } = node;

    /// <summary>From nothing to all services of the cluster.</summary>
    /// <returns>Milliseconds.</returns>
    public abstract double Program(ComparedCluster cluster, CancellationToken stopping);

    /// <summary>Nothing is left of what was programmed.</summary>
    public abstract void Clear();

    /// <summary>The endpoint of the moving service is another one.</summary>
    /// <returns>When the change was handed over: CLOCK_MONOTONIC.</returns>
    public abstract long Move(ComparedCluster before, ComparedCluster after, CancellationToken stopping);

    /// <summary>Of what is programmed; null where the kernel does not say and another way is taken.</summary>
    public virtual double? MapMB => null;

    /// <summary>Of the process that programs, if there is one.</summary>
    public virtual double? ProcessMB => null;

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
            Node.Dispose();
    }
}
