// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Concurrent;
using System.Threading.Channels;
using EbpfLb.Kubernetes.Api.Client;

namespace EbpfLb.Kubernetes.Tests.Api.Support;

/// <summary>An API server of which a test answers every request itself.</summary>
internal sealed class ScriptedServer(TimeProvider time, string address = "https://192.0.2.1:6443") : IApiTransport
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, Channel<ScriptedRequest>> _requests = [];
    private readonly ConcurrentQueue<ScriptedRequest> _log = [];

    public Uri Server { get; } = new(address);

    /// <summary>In the order in which they came.</summary>
    public IReadOnlyCollection<ScriptedRequest> Log => [.. _log];

    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        var scripted = new ScriptedRequest(
            request.RequestUri!.OriginalString, request.Headers.NonValidated["Accept"].ToString(), time.GetUtcNow());
        _log.Enqueue(scripted);
        Requests(scripted.Path).Writer.TryWrite(scripted);
        return await scripted.Answer.WaitAsync(cancellation);
    }

    /// <summary>The next request for a collection that was not taken before.</summary>
    public Task<ScriptedRequest> NextAsync(string path) => Requests(path).Reader.ReadAsync().AsTask().WaitAsync(Patience);

    public bool HasRequest(string path) => Requests(path).Reader.Count > 0;

    public void Dispose()
    {
    }

    private Channel<ScriptedRequest> Requests(string path) => _requests.GetOrAdd(path, _ => Channel.CreateUnbounded<ScriptedRequest>());
}
