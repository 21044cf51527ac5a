// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Agent.Health;
using EbpfLb.Agent.Metrics;
using EbpfLb.Agent.Serving;
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Sync;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.State;

namespace EbpfLb.Agent;

/// <summary>What the agent's ports tell of the reconcile loop. Called by the loop only.</summary>
internal sealed class ReconcileObserver(
    SyncHealth health, NodeEligibility node, HealthCheckPorts healthChecks, SyncMetrics runs, ObjectMetrics objects, DesiredState desired,
    DatapathSync sync, TimeProvider time)
{
    private readonly NoLocalEndpoints _noLocal = new(runs);
    private bool _ranOnce;

    /// <summary>After the run has taken what changed.</summary>
    public void Started() => health.Started();

    /// <summary>After the maps were written.</summary>
    public void Ran(ClusterDelta delta, DesiredChanges changes, ApplyReport report, TimeSpan elapsed)
    {
        bool succeeded = !FailedAsAWhole(report);
        if (succeeded)
            health.Completed();
        node.Learn(delta.State.Node);
        bool isFull = !_ranOnce || (delta.Dirty.Count > 0 && delta.Dirty.Count >= delta.State.ServiceCount);
        runs.Ran(delta, elapsed, isFull, succeeded, time.GetUtcNow());
        objects.Ran(desired.Services.Count, sync, report);
        _noLocal.Learn(changes);
        healthChecks.Update(delta.State, delta.Dirty);
        _ranOnce = true;
    }

    public void Told(int problems) => objects.SetProblems(problems);

    // No service is as it should be, and not for want of room: the maps cannot be written at all, which a new start may mend. One service
    // that fails is no reason to be unhealthy; SyncHealth says why.
    private bool FailedAsAWhole(ApplyReport report) => report.Failures.Count > 0 && report.Failures.Count >= desired.Services.Count
        && report.Failures.All(failure => failure.Error != MapError.Full);
}
