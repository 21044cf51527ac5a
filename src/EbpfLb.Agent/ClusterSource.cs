// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using EbpfLb.Datapath.Status;
using EbpfLb.Kubernetes.Api;
using EbpfLb.Kubernetes.Api.Events;
using EbpfLb.Kubernetes.Manifests;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Agent;

/// <summary>Where services and endpoints come from: an API server or a directory of manifests.</summary>
internal sealed class ClusterSource : IDisposable
{
    private readonly ApiClient? _client;
    private IReadOnlyList<Problem> _problems = [];

    private ClusterSource(ApiClient? client, string description)
    {
        _client = client;
        Description = description;
    }

    /// <summary>A directory or an address, for people.</summary>
    public string Description { get; }

    /// <summary>What is to be run, each under its name.</summary>
    public IReadOnlyList<(string Name, Func<CancellationToken, Task> Run)> Parts { get; private init; } = [];

    /// <summary>Null when nobody would read them.</summary>
    public ServiceEvents? Events { get; private init; }

    /// <summary>Null when there is no server, or it is known by its name only.</summary>
    public ApiServerEndpoint? ApiServer { get; private init; }

    /// <summary>When the server last said something. Null when there is no server.</summary>
    public Func<DateTimeOffset?>? LastContact { get; private init; }

    public IReadOnlyList<Problem> Problems => Volatile.Read(ref _problems);

    /// <summary>Told after <see cref="Problems"/> changed, from any thread.</summary>
    public Action? ProblemsChanged { get; set; }

    /// <summary>For a caller that wants to fail before it touches anything.</summary>
    /// <exception cref="ManifestDirectoryException">The directory cannot be listed.</exception>
    /// <exception cref="Kubernetes.Api.Client.ApiUnreachableException">There is no usable configuration.</exception>
    public static ClusterSource Open(AgentOptions options, ClusterStateWriter state, ILoggerFactory loggers) =>
        options.Api is { } api ? OpenApi(options, api, state, loggers) : OpenManifests(options, options.Manifests!, state, loggers);

    public void Dispose() => _client?.Dispose();

    private static ClusterSource OpenManifests(
        AgentOptions options, string directory, ClusterStateWriter state, ILoggerFactory loggers)
    {
        ManifestDirectory.Verify(directory);
        ClusterSource? source = null;
        var manifests = new ManifestDirectory(
            directory, state, ManifestChanges.WatchAsync(directory), loggers.CreateLogger<ManifestDirectory>(), TimeProvider.System,
            new ManifestDirectoryOptions
            {
                NodeName = options.NodeName,
                ProblemsChanged = problems => source!.Show([.. problems.Select(Describe)]),
            });
        return source = new ClusterSource(client: null, directory) { Parts = [("manifest source", manifests.RunAsync)] };
    }

    private static ClusterSource OpenApi(AgentOptions options, ApiOptions api, ClusterStateWriter state, ILoggerFactory loggers)
    {
        var client = ApiClient.Open(api, loggers.CreateLogger<ApiClient>(), TimeProvider.System);
        var recorder = client.CreateEventRecorder(options.NodeName, TimeProvider.System, loggers.CreateLogger<EventRecorder>());
        var events = new ServiceEvents(recorder);
        var objects = new ApiSource(client, options.NodeName, state, TimeProvider.System, loggers.CreateLogger<ApiSource>());
        var source = new ClusterSource(client, client.Server.ToString())
        {
            Parts = [("API source", objects.RunAsync), ("event recorder", recorder.RunAsync)],
            Events = events,
            ApiServer = IPAddress.TryParse(client.Server.DnsSafeHost, out var address)
                ? new ApiServerEndpoint(Address.From(address), (ushort)client.Server.Port)
                : null,
            LastContact = () => objects.Resources.Max(resource => resource.LastContact),
        };
        objects.ProblemsChanged = () => source.Show([.. objects.CurrentProblems.Select(Describe)]);
        return source;
    }

    private void Show(IReadOnlyList<Problem> problems)
    {
        Volatile.Write(ref _problems, problems);
        ProblemsChanged?.Invoke();
    }

    private static Problem Describe(ManifestProblem problem) => new(problem.Location, problem.Description);

    private static Problem Describe(ApiProblem problem) => new(problem.Subject, problem.Message);
}
