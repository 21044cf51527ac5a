// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text;
using EbpfLb.Kubernetes.Api.Client;
using EbpfLb.Kubernetes.Api.Wire;

namespace EbpfLb.Kubernetes.Api.Reflection;

/// <summary>The requests for one resource. Whatever is not answered with what was asked for is an exception.</summary>
internal sealed class ResourceClient(IApiTransport transport, ApiResource resource, TimeProvider time)
{
    /// <param name="limit">Null for all at once.</param>
    /// <param name="continueToken">Of the page before; null for the first.</param>
    /// <param name="bodyLimit">How long the body may pause.</param>
    /// <exception cref="ApiRefusedException">The server answers otherwise.</exception>
    public async Task<ListPage> ListAsync(int? limit, string? continueToken, TimeSpan bodyLimit, StallTimer stall)
    {
        // Without a resourceVersion the list is of now. Version 0 would be cheaper for old servers, but it is whatever a server has
        // in its cache, and an agent that starts again must not go back behind what it served before.
        var query = new StringBuilder();
        if (limit is { } items)
            Add(query, "limit", items.ToString(CultureInfo.InvariantCulture));
        if (continueToken is not null)
            Add(query, "continue", continueToken);
        using var response = await SendAsync(query, WireReader.AcceptList, stall).ConfigureAwait(false);
        stall.Limit = bodyLimit;
        var body = await OpenAsync(response, stall).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
            return await WireReader.ReadListAsync(body, ContentType(response), resource, stall.Token).ConfigureAwait(false);
    }

    /// <param name="version">From which to go on; null to be told first what exists.</param>
    /// <returns>To be disposed of by the caller.</returns>
    /// <exception cref="ApiRefusedException">The server answers otherwise.</exception>
    public Task<HttpResponseMessage> WatchAsync(string? version, int timeoutSeconds, StallTimer stall)
    {
        var query = new StringBuilder();
        Add(query, "watch", "1");
        if (version is not null)
        {
            Add(query, "resourceVersion", version);
        }
        else
        {
            Add(query, "sendInitialEvents", "true");
            Add(query, "resourceVersionMatch", "NotOlderThan");
        }

        Add(query, "allowWatchBookmarks", "true");
        Add(query, "timeoutSeconds", timeoutSeconds.ToString(CultureInfo.InvariantCulture));
        return SendAsync(query, WireReader.AcceptWatch, stall);
    }

    public IAsyncEnumerable<WatchEvent> ReadWatchAsync(HttpResponseMessage response, Stream body, StallTimer stall) =>
        WireReader.ReadWatchAsync(body, ContentType(response), resource, stall.Token);

    public static async Task<Stream> OpenAsync(HttpResponseMessage response, StallTimer stall)
    {
        var body = await response.Content.ReadAsStreamAsync(stall.Token).ConfigureAwait(false);
        return new StallGuardedStream(body, stall);
    }

    private static string? ContentType(HttpResponseMessage response) => response.Content.Headers.ContentType?.ToString();

    private static void Add(StringBuilder query, string key, string value) =>
        query.Append(query.Length == 0 ? '?' : '&').Append(key).Append('=').Append(Uri.EscapeDataString(value));

    private async Task<HttpResponseMessage> SendAsync(StringBuilder query, string accept, StallTimer stall)
    {
        if (resource.LabelSelector is { } labels)
            Add(query, "labelSelector", labels);
        if (resource.FieldSelector is { } fields)
            Add(query, "fieldSelector", fields);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(resource.Path + query, UriKind.Relative));
        request.Headers.TryAddWithoutValidation("Accept", accept);
        stall.Rearm();
        var response = await transport.SendAsync(request, stall.Token).ConfigureAwait(false);
        if (response.StatusCode == System.Net.HttpStatusCode.OK)
            return response;

        using (response)
        {
            var body = await OpenAsync(response, stall).ConfigureAwait(false);
            await using (body.ConfigureAwait(false))
            {
                var status = await WireReader.ReadStatusAsync(body, ContentType(response), (int)response.StatusCode, stall.Token)
                    .ConfigureAwait(false);
                throw new ApiRefusedException(status, RetryAfter(response), inStream: false);
            }
        }
    }

    private TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - time.GetUtcNow(),
        _ => null,
    };
}
