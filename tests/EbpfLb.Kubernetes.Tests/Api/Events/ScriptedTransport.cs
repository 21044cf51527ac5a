// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using EbpfLb.Kubernetes.Api.Client;

namespace EbpfLb.Kubernetes.Tests.Api.Events;

/// <summary>Answers what it was told to, and 201 when it was told nothing.</summary>
internal sealed class ScriptedTransport : IApiTransport
{
    private readonly Queue<Func<HttpResponseMessage>> _answers = [];

    public Uri Server { get; } = new("https://192.0.2.1:6443");

    /// <summary>Method, path, content type and body of each request.</summary>
    public List<(string Method, string Path, string? ContentType, string Body)> Requests { get; } = [];

    public void Answer(HttpStatusCode status, int? retryAfterSeconds = null) => _answers.Enqueue(() =>
    {
        var response = new HttpResponseMessage(status);
        if (retryAfterSeconds is { } seconds)
            response.Headers.RetryAfter = new(TimeSpan.FromSeconds(seconds));
        return response;
    });

    public void Throw(Exception exception) => _answers.Enqueue(() => throw exception);

    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        string body = await request.Content!.ReadAsStringAsync(cancellation);
        Requests.Add((request.Method.Method, request.RequestUri!.OriginalString, request.Content.Headers.ContentType?.ToString(), body));
        return _answers.TryDequeue(out var answer) ? answer() : new HttpResponseMessage(HttpStatusCode.Created);
    }

    public void Dispose()
    {
    }
}
