// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json;
using System.Text.Json.Nodes;
using EbpfLb.FakeApi.Bulk;
using EbpfLb.FakeApi.Faults;
using EbpfLb.FakeApi.Security;
using EbpfLb.FakeApi.Store;
using Microsoft.AspNetCore.Http;

namespace EbpfLb.FakeApi.Serving;

/// <summary>/fake/: what the in-process interface can do, for who runs the server as a process.</summary>
internal sealed class ControlEndpoint(FakeApiServer server)
{
    public async Task HandleAsync(HttpContext context)
    {
        try
        {
            var answer = await AnswerAsync(context.Request);
            context.Response.StatusCode = answer is null ? 404 : 200;
            await context.Response.WriteAsJsonAsync(answer ?? new JsonObject { ["error"] = "no such page" }, FaultRule.Json);
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException or InvalidOperationException)
        {
            context.Response.StatusCode = 400;
            await context.Response.WriteAsJsonAsync(new JsonObject { ["error"] = exception.Message });
        }
    }

    private async Task<object?> AnswerAsync(HttpRequest request)
    {
        switch (request.Method, request.Path.Value)
        {
            case ("POST", "/fake/faults"):
                server.Faults.Add(await ReadAsync<FaultRule>(request));
                return Done();
            case ("DELETE", "/fake/faults"):
                server.Faults.Clear();
                return Done();
            case ("GET", "/fake/requests"):
                return server.Requests.All;
            case ("DELETE", "/fake/requests"):
                server.Requests.Clear();
                return Done();
            case ("POST", "/fake/access"):
                (await ReadAsync<AccessChange>(request)).Apply(server.Access);
                return Done();
            case ("POST", "/fake/compact"):
                server.Store.Compact();
                return Done();
            case ("POST", "/fake/expire-continue"):
                server.ContinueTokens.Expire();
                return Done();
            case ("POST", "/fake/watches"):
                Finish(await ReadAsync<FaultRule>(request));
                return Done();
            case ("POST", "/fake/events"):
                Send(await ReadAsync<JsonObject>(request));
                return Done();
            case ("POST", "/fake/change") when server.Bulk is { } bulk:
                return await ChangeAsync(bulk, await ReadAsync<JsonObject>(request), request.HttpContext.RequestAborted);
            case ("POST", "/fake/change-all") when server.Bulk is { } bulk:
                return await ChangeAllAsync(bulk, await ReadAsync<JsonObject>(request), request.HttpContext.RequestAborted);
            case ("GET", "/fake/state"):
                return Done();
            default:
                return null;
        }
    }

    private JsonObject Done() => new()
    {
        ["resourceVersion"] = StoredObject.Text64(server.Store.ResourceVersion),
        ["watches"] = new JsonObject(ResourceType.All.Where(type => server.Watches.Count(type) > 0)
            .Select(type => KeyValuePair.Create(type.Name, (JsonNode?)server.Watches.Count(type)))),
    };

    // {"slice": number, "kind": "Ready" or "Address"}. Answered once a watch began to send it.
    private static async Task<JsonObject> ChangeAsync(BulkCluster bulk, JsonObject json, CancellationToken aborted)
    {
        var change = bulk.Change(json["slice"]?.GetValue<int>() ?? 0, Kind(json));
        return new JsonObject
        {
            ["service"] = change.Service,
            ["slice"] = change.Slice,
            ["address"] = change.Address,
            ["ready"] = change.Ready,
            ["resourceVersion"] = StoredObject.Text64(change.Event.ResourceVersion),
            ["changedAt"] = change.Event.ChangedAt,
            ["writtenAt"] = await change.Event.Written.WaitAsync(aborted),
        };
    }

    // {"kind": as above, "milliseconds": in which to do it}. Answered once a watch began to send the last.
    private static async Task<JsonObject> ChangeAllAsync(BulkCluster bulk, JsonObject json, CancellationToken aborted)
    {
        var within = TimeSpan.FromMilliseconds(json["milliseconds"]?.GetValue<int>() ?? 0);
        var changes = await bulk.ChangeAllAsync(Kind(json), within, aborted);
        return new JsonObject
        {
            ["changes"] = changes.Count,
            ["firstChangedAt"] = changes[0].Event.ChangedAt,
            ["lastChangedAt"] = changes[^1].Event.ChangedAt,
            ["lastWrittenAt"] = await changes[^1].Event.Written.WaitAsync(aborted),
        };
    }

    private static ChangeKind Kind(JsonObject json) =>
        Enum.Parse<ChangeKind>(json["kind"]?.ToString() ?? nameof(ChangeKind.Ready), ignoreCase: true);

    private void Finish(FaultRule rule)
    {
        int code = rule.Status ?? 410;
        server.Watches.Finish(
            ResourceType.Named(rule.Resource ?? ""), rule.Ending ?? WatchEnding.End,
            new ApiStatus(code, rule.Reason ?? ApiStatus.ReasonOf(code), rule.Message ?? ""));
    }

    // {"resource": ..., "type": "DELETED", "object": {...}}, {"resource": ..., "type": "BOOKMARK"} or {"resource": ..., "bytes": base64}
    private void Send(JsonObject json)
    {
        var resource = ResourceType.Named(json["resource"]?.ToString() ?? "");
        if (json["bytes"]?.ToString() is { } bytes)
            server.Watches.SendRaw(resource, Convert.FromBase64String(bytes));
        else if (Enum.Parse<EventType>(json["type"]?.ToString() ?? "", ignoreCase: true) is var type && type == EventType.Bookmark)
            server.Watches.SendBookmark(resource);
        else
            server.Watches.Send(type, new StoredObject(resource, (JsonObject)json["object"]!.DeepClone()));
    }

    private static async Task<T> ReadAsync<T>(HttpRequest request) =>
        await JsonSerializer.DeserializeAsync<T>(request.Body, FaultRule.Json) ?? throw new JsonException("the body is empty");
}
