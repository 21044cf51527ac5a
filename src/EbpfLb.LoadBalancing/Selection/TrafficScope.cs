// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.Selection;

/// <param name="InternalTrafficPolicy">For traffic to the ClusterIP.</param>
/// <param name="ExternalTrafficPolicy">For traffic from outside; of no effect on a service port that cannot be reached from there.</param>
/// <param name="ExternallyReachable">The service port has a frontend that traffic from outside can dial.</param>
internal readonly record struct TrafficScope(
    TrafficPolicy InternalTrafficPolicy, TrafficPolicy ExternalTrafficPolicy, bool ExternallyReachable)
{
    // Reachable from outside under policy Local still needs the Cluster list: pods and the node itself are served from it.
    internal bool UsesClusterList => InternalTrafficPolicy == TrafficPolicy.Cluster || ExternallyReachable;

    internal bool UsesLocalList =>
        InternalTrafficPolicy == TrafficPolicy.Local || (ExternallyReachable && ExternalTrafficPolicy == TrafficPolicy.Local);
}
