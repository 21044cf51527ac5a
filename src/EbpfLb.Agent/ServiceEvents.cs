// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Api.Events;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;

namespace EbpfLb.Agent;

/// <summary>Tells the API of Services that are not served as they ask to be. Any thread may call any member; none waits.</summary>
internal sealed class ServiceEvents(EventRecorder recorder)
{
    // Events belong to one object, not to its name.
    private volatile ClusterState _state = ClusterState.Empty;

    public void Learn(ClusterState state) => _state = state;

    public void Warn(ObjectName service, string reason, string message) => Report(service, EventSeverity.Warning, reason, message);

    public void Note(ObjectName service, string reason, string message) => Report(service, EventSeverity.Normal, reason, message);

    private void Report(ObjectName service, EventSeverity severity, string reason, string message) =>
        recorder.Report(service, _state.FindService(service)?.Uid ?? "", severity, reason, message);
}
