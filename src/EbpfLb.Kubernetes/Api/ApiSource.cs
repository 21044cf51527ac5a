// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.State;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Kubernetes.Api;

/// <summary>The source that lists and watches an API server and keeps the cluster state equal to what it tells.</summary>
public sealed class ApiSource
{
    /// <param name="writer">Gets one source registered at once for each resource.</param>
    public ApiSource(
        ApiOptions options, string nodeName, ClusterStateWriter writer, TimeProvider time, ILogger<ApiSource> logger)
    {
        throw new NotImplementedException();
    }

    /// <summary>A snapshot, ordered. Any thread may read it.</summary>
    public IReadOnlyList<ApiProblem> CurrentProblems => throw new NotImplementedException();

    /// <summary>Told after <see cref="CurrentProblems"/> changed, from any thread.</summary>
    public Action? ProblemsChanged { get; set; }

    /// <summary>Runs until it is stopped; a server that cannot be reached is tried again for ever.</summary>
    public Task RunAsync(CancellationToken stopping) => throw new NotImplementedException();
}
