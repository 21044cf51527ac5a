// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Api.Reflection;
using EbpfLb.LoadBalancing.State;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Kubernetes.Api;

/// <summary>The source that lists and watches an API server and keeps the cluster state equal to what it tells.</summary>
public sealed class ApiSource
{
    private readonly ProblemBook _problems;
    private readonly Reflector[] _reflectors;

    /// <param name="client">Not owned.</param>
    /// <param name="nodeName">As the API names this node.</param>
    /// <param name="writer">Gets one source registered at once for each resource.</param>
    public ApiSource(ApiClient client, string nodeName, ClusterStateWriter writer, TimeProvider time, ILogger<ApiSource> logger,
        ReflectorOptions? options = null)
        : this(client, nodeName, writer, time, Random.Shared, logger, options ?? new ReflectorOptions())
    {
    }

    /// <param name="random">Used by several threads.</param>
    internal ApiSource(ApiClient client, string nodeName, ClusterStateWriter writer, TimeProvider time, Random random,
        ILogger<ApiSource> logger, ReflectorOptions options)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentException.ThrowIfNullOrEmpty(nodeName);
        ArgumentNullException.ThrowIfNull(writer);
        _problems = new ProblemBook(logger) { Changed = () => ProblemsChanged?.Invoke() };
        var server = ServerBehindService.AddressOf(client.Server);
        ApiResource[] resources =
            [ApiResource.Services, ApiResource.EndpointSlices, ApiResource.Node(nodeName), ApiResource.ServiceCidrs];
        var outage = new ServerOutage(resources.Length);
        _reflectors = [.. resources.Select(resource =>
        {
            var mirror = new ResourceMirror(resource, new ObjectTranslation(resource, nodeName, server), writer, _problems, logger);
            return new Reflector(resource, client.Transport, mirror, _problems, outage, options, time, random, logger);
        })];
    }

    /// <summary>A snapshot, ordered. Any thread may read it.</summary>
    public IReadOnlyList<ApiProblem> CurrentProblems => _problems.Current;

    /// <summary>Told after <see cref="CurrentProblems"/> changed, from any thread.</summary>
    public Action? ProblemsChanged { get; set; }

    /// <summary>A snapshot of each resource. Any thread may read it.</summary>
    public IReadOnlyList<ApiResourceStatus> Resources => [.. _reflectors.Select(reflector => reflector.Status)];

    /// <summary>Runs until it is stopped; a server that cannot be reached is tried again for ever.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using var stopAll = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var tasks = _reflectors.Select(reflector => Task.Run(() => reflector.RunAsync(stopAll.Token), CancellationToken.None)).ToArray();

        // One that ends by itself is a defect of the agent, and the state would grow stale without anybody noticing.
        await Task.WhenAny(tasks).ConfigureAwait(false);
        await stopAll.CancelAsync().ConfigureAwait(false);
        try
        {
            await Task.WhenAll(tasks).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested && tasks.All(task => !task.IsFaulted))
        {
        }
    }
}
