// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using System.Text;
using EbpfLb.FakeApi.Faults;
using Microsoft.AspNetCore.Http;

namespace EbpfLb.FakeApi.Serving;

/// <summary>What happens to each request, in this order: it is logged, a fault takes it, the client is known and may, it is done.</summary>
internal sealed class RequestHandler(FakeApiServer server)
{
    private readonly ListHandler _lists = new(server.Store, server.ContinueTokens);
    private readonly WatchHandler _watches = new(server.Store, server.Watches);
    private readonly WriteHandler _writes = new(server.Store);
    private readonly ControlEndpoint _control = new(server);

    private long _count;

    public async Task HandleAsync(HttpContext context, CancellationToken stopping)
    {
        if (context.Request.Path.StartsWithSegments("/fake"))
        {
            await _control.HandleAsync(context);
            return;
        }
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        var request = ApiRequest.Parse(context.Request);
        var record = Record(context, request);
        server.Requests.Add(record);
        var rule = server.Faults.Take(request.Kind, request.Type);
        var exchange = new Exchange(context, request, rule, record, server.Requests, server.Time, either.Token);
        try
        {
            if (!await ApplyAsync(exchange))
                await ServeAsync(exchange);
        }
        catch (ApiException exception) when (!context.Response.HasStarted)
        {
            await exchange.SendStatusAsync(exception.Status);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            // The client is gone, or shall see that the server is: a handler that returned would end the body as if it were whole.
            context.Abort();
            throw;
        }
    }

    private RequestRecord Record(HttpContext context, ApiRequest request) => new()
    {
        Number = Interlocked.Increment(ref _count),
        At = Stopwatch.GetTimestamp(),
        Method = context.Request.Method,
        Path = context.Request.Path,
        Query = context.Request.QueryString.Value ?? "",
        Kind = request.Kind,
        Resource = request.Type?.Name ?? "",
        Accept = context.Request.Headers.Accept.ToString(),
        UserAgent = context.Request.Headers.UserAgent.ToString(),
        Protocol = context.Request.Protocol,
    };

    // True: there is nothing left to do.
    private static async Task<bool> ApplyAsync(Exchange exchange)
    {
        if (exchange.Rule is not { } rule)
            return false;
        if (rule.DelayMilliseconds is { } delay)
            await Task.Delay(TimeSpan.FromMilliseconds(delay), exchange.Time, exchange.Aborted);
        if (rule.Hang)
            await Task.Delay(Timeout.InfiniteTimeSpan, exchange.Aborted);
        if (rule.Reset)
        {
            exchange.Context.Abort();
            return true;
        }
        if (rule.Bytes is not null || rule.Body is not null)
        {
            if (rule.RetryAfterSeconds is { } seconds)
                exchange.Context.Response.Headers.RetryAfter = Store.StoredObject.Text64(seconds);
            await exchange.SendAsync(
                rule.Status ?? 200, rule.ContentType ?? "text/html", rule.Bytes ?? Encoding.UTF8.GetBytes(rule.Body!));
            return true;
        }
        if (rule.Status is { } status && rule.Ending is null)
        {
            throw new ApiException(new ApiStatus(status, rule.Reason ?? ApiStatus.ReasonOf(status), rule.Message ?? "asked for by a rule")
            {
                RetryAfterSeconds = rule.RetryAfterSeconds,
            });
        }
        return false;
    }

    private async Task ServeAsync(Exchange exchange)
    {
        var request = exchange.Request;
        string user = Authenticate(exchange.Context) ?? throw new ApiException(ApiStatus.Unauthorized);
        exchange.Record.User = user.Length == 0 ? null : user;
        if (request.Type is null)
        {
            await ServeOtherAsync(exchange);
            return;
        }
        if (!server.Access.Allows(user, request.Verb, request.Type.Name))
        {
            string scope = request.Namespace.Length == 0 ? "at the cluster scope" : $"in the namespace \"{request.Namespace}\"";
            throw new ApiException(new ApiStatus(
                403, "Forbidden",
                $"{request.Type.Name} is forbidden: User \"{user}\" cannot {request.Verb} resource \"{request.Type.Plural}\" in API group "
                + $"\"{request.Type.Group}\" {scope}")
            {
                Type = request.Type,
            });
        }
        await (request.Kind switch
        {
            RequestKind.List or RequestKind.ListPage => _lists.HandleAsync(exchange),
            RequestKind.Watch or RequestKind.WatchList => _watches.HandleAsync(exchange),
            _ => _writes.HandleAsync(exchange),
        });
    }

    private static async Task ServeOtherAsync(Exchange exchange)
    {
        string path = exchange.Context.Request.Path.Value ?? "";
        if (path is "/livez" or "/readyz" or "/healthz")
            await exchange.SendAsync(200, "text/plain; charset=utf-8", "ok"u8.ToArray());
        else if (Discovery.Page(path) is { } page)
            await exchange.SendAsync(200, Negotiation.Json, Encoding.UTF8.GetBytes(page.ToJsonString()));
        else
            throw new ApiException(new ApiStatus(404, "NotFound", "the server could not find the requested resource"));
    }

    private string? Authenticate(HttpContext context)
    {
        string header = context.Request.Headers.Authorization.ToString();
        string? token = header.StartsWith("Bearer ", StringComparison.Ordinal) ? header["Bearer ".Length..] : null;
        string? name = context.Connection.ClientCertificate?.GetNameInfo(
            System.Security.Cryptography.X509Certificates.X509NameType.SimpleName, forIssuer: false);
        return server.Access.Authenticate(token, name);
    }
}
