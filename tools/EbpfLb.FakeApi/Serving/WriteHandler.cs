// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json;
using System.Text.Json.Nodes;
using EbpfLb.FakeApi.Faults;
using EbpfLb.FakeApi.Manifests;
using EbpfLb.FakeApi.Store;
using EbpfLb.FakeApi.Wire;

namespace EbpfLb.FakeApi.Serving;

/// <summary>Requests for one object, and those that change it.</summary>
internal sealed class WriteHandler(ObjectStore store)
{
    public Task HandleAsync(Exchange exchange) => exchange.Request.Kind switch
    {
        RequestKind.Get => exchange.SendObjectAsync(200, Find(exchange) ?? throw NotFound(exchange)),
        RequestKind.Create => CreateAsync(exchange),
        RequestKind.Update => UpdateAsync(exchange),
        RequestKind.Patch => PatchAsync(exchange),
        RequestKind.Delete => DeleteAsync(exchange),
        _ => throw new ApiException(new ApiStatus(
            405, "MethodNotAllowed", "the server does not allow this method on the requested resource")),
    };

    private static ApiException NotFound(Exchange exchange) => new(ApiStatus.NotFound(exchange.Type, exchange.Request.Name));

    private static ApiException Conflict(Exchange exchange, string reason, string message, string name) =>
        new(new ApiStatus(409, reason, message) { Type = exchange.Type, Name = name });

    private StoredObject? Find(Exchange exchange) => store.Find(exchange.Type, exchange.Request.Namespace, exchange.Request.Name);

    private StoreEvent? Update(Exchange exchange, Action<JsonObject> change) =>
        store.Update(exchange.Type, exchange.Request.Namespace, exchange.Request.Name, change);

    private async Task CreateAsync(Exchange exchange)
    {
        var json = await ReadAsync(exchange);
        if (exchange.Request.Namespace.Length > 0)
            StoredObject.Metadata(json)["namespace"] = exchange.Request.Namespace;
        StoredObject.Metadata(json).Remove("resourceVersion");
        var change = store.Create(exchange.Type, json, out var present)
            ?? throw Conflict(exchange, "AlreadyExists", $"{exchange.Type.Name} \"{present!.Name}\" already exists", present.Name);
        await exchange.SendObjectAsync(201, change.After!);
    }

    private async Task UpdateAsync(Exchange exchange)
    {
        var json = await ReadAsync(exchange);
        var metadata = StoredObject.Metadata(json);
        metadata["name"] = exchange.Request.Name;
        if (exchange.Request.Namespace.Length > 0)
            metadata["namespace"] = exchange.Request.Namespace;
        if (exchange.Request.Subresource.Length > 0)
        {
            string part = exchange.Request.Subresource;
            var value = json[part]?.DeepClone();
            await SendAsync(exchange, Update(exchange, old => old[part] = value));
            return;
        }
        var change = store.Replace(exchange.Type, json, out var present);
        if (change is null && present is not null)
        {
            throw Conflict(
                exchange, "Conflict",
                $"Operation cannot be fulfilled on {exchange.Type.Name} \"{present.Name}\": the object has been modified; please apply "
                + "your changes to the latest version and try again",
                present.Name);
        }
        await SendAsync(exchange, change);
    }

    private async Task PatchAsync(Exchange exchange)
    {
        string type = MediaType(exchange);
        if (type == "application/json-patch+json")
            throw new ApiException(new ApiStatus(415, "UnsupportedMediaType", "the body of the request was in an unknown format: " + type));
        var patch = await ReadAsync(exchange);
        if (type == "application/apply-patch+yaml" && Find(exchange) is null)
        {
            StoredObject.Metadata(patch)["name"] = exchange.Request.Name;
            if (exchange.Request.Namespace.Length > 0)
                StoredObject.Metadata(patch)["namespace"] = exchange.Request.Namespace;
            await exchange.SendObjectAsync(201, store.Put(exchange.Type, patch).After!);
            return;
        }
        patch.Remove("kind");
        patch.Remove("apiVersion");
        await SendAsync(exchange, Update(exchange, json => MergePatch.Apply(json, patch)));
    }

    private async Task DeleteAsync(Exchange exchange)
    {
        if (exchange.Request.Name.Length == 0)
            throw new ApiException(new ApiStatus(405, "MethodNotAllowed", "objects are deleted one by one"));
        await SendAsync(exchange, store.Delete(exchange.Type, exchange.Request.Namespace, exchange.Request.Name));
    }

    private static Task SendAsync(Exchange exchange, StoreEvent? change) =>
        exchange.SendObjectAsync(200, (change ?? throw NotFound(exchange)) is { After: { } after } ? after : change.Deleted!);

    private static string MediaType(Exchange exchange) => (exchange.Context.Request.ContentType ?? "").Split(';')[0].Trim();

    private static async Task<JsonObject> ReadAsync(Exchange exchange)
    {
        using var body = new MemoryStream();
        await exchange.Context.Request.Body.CopyToAsync(body, exchange.Aborted);
        try
        {
            return MediaType(exchange) switch
            {
                Negotiation.Protobuf when exchange.Type.Message is { } message =>
                    ProtobufDecoder.Decode(message, Envelope.Unwrap(body.ToArray()).Message),
                "application/yaml" or "application/apply-patch+yaml" =>
                    Yaml.Read(new StringReader(System.Text.Encoding.UTF8.GetString(body.ToArray()))).OfType<JsonObject>().First(),
                _ => JsonNode.Parse(body.ToArray()) as JsonObject ?? throw new FormatException("the body is no object"),
            };
        }
        catch (Exception exception) when (exception is FormatException or JsonException or InvalidOperationException)
        {
            throw new ApiException(ApiStatus.BadRequest("the object provided is unrecognized: " + exception.Message));
        }
    }
}
