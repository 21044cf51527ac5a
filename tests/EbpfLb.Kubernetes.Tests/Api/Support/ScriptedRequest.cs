// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Net.Http.Headers;

namespace EbpfLb.Kubernetes.Tests.Api.Support;

internal sealed class ScriptedRequest
{
    private readonly TaskCompletionSource<HttpResponseMessage> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<string, string> _query = [];

    public ScriptedRequest(string uri, string accept, DateTimeOffset at)
    {
        string[] parts = uri.Split('?', 2);
        Path = parts[0];
        Accept = accept;
        At = at;
        foreach (string pair in parts.Length == 1 ? [] : parts[1].Split('&'))
        {
            string[] sides = pair.Split('=', 2);
            _query.Add(sides[0], Uri.UnescapeDataString(sides[1]));
        }
    }

    public string Path { get; }

    public string Accept { get; }

    public DateTimeOffset At { get; }

    public Task<HttpResponseMessage> Answer => _answer.Task;

    /// <summary>Null when the request does not say it.</summary>
    public string? this[string key] => _query.GetValueOrDefault(key);

    public bool IsWatch => this["watch"] == "1";

    /// <summary>Asks for everything that exists as the first part of a watch.</summary>
    public bool IsStreamedList => IsWatch && this["sendInitialEvents"] == "true" && this["resourceVersionMatch"] == "NotOlderThan"
        && this["allowWatchBookmarks"] == "true" && this["resourceVersion"] is null;

    public ScriptedWatch Watch(params string[] frames)
    {
        Assert.True(IsWatch);
        var watch = new ScriptedWatch();
        watch.Send(frames);
        Respond(HttpStatusCode.OK, new StreamContent(watch));
        return watch;
    }

    public void List(string body, string contentType = "application/json")
    {
        Assert.False(IsWatch);
        Respond(HttpStatusCode.OK, new StringContent(body), contentType);
    }

    public void List(byte[] body, string contentType)
    {
        Assert.False(IsWatch);
        Respond(HttpStatusCode.OK, new ByteArrayContent(body), contentType);
    }

    public void Refuse(int code, string reason, string message = "no", TimeSpan? retryAfter = null)
    {
        Respond((HttpStatusCode)code, new StringContent(ApiText.Status(code, reason, message)), retryAfter: retryAfter);
    }

    public void Fail(Exception error) => _answer.SetException(error);

    private void Respond(
        HttpStatusCode code, HttpContent content, string contentType = "application/json", TimeSpan? retryAfter = null)
    {
        content.Headers.ContentType = new MediaTypeHeaderValue(contentType);
        var response = new HttpResponseMessage(code) { Content = content };
        if (retryAfter is { } delta)
            response.Headers.RetryAfter = new RetryConditionHeaderValue(delta);
        _answer.SetResult(response);
    }
}
