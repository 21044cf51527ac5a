// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using EbpfLb.FakeApi.Faults;
using EbpfLb.FakeApi.Store;
using EbpfLb.FakeApi.Wire;

namespace EbpfLb.FakeApi.Serving;

internal sealed class ListHandler(ObjectStore store, ContinueTokens tokens)
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public async Task HandleAsync(Exchange exchange)
    {
        var selection = exchange.Selection();
        bool protobuf = exchange.WantsProtobuf(exchange.Type.Message is not null);
        var (all, version, start) = Begin(exchange);
        var matching = all.Values.Where(item => selection.Matches(item));
        if (start.Length > 0)
            matching = matching.Where(item => string.CompareOrdinal(item.Key, start) >= 0);
        var items = matching.ToList();
        var metadata = new JsonObject { ["resourceVersion"] = StoredObject.Text64(version) };
        int limit = LimitOf(exchange);
        if (limit > 0 && items.Count > limit)
        {
            metadata["continue"] = tokens.Issue(exchange.Type, version, all, items[limit - 1].Key);
            if (exchange.Query("labelSelector").Length == 0 && exchange.Query("fieldSelector").Length == 0)
                metadata["remainingItemCount"] = items.Count - limit;
            items.RemoveRange(limit, items.Count - limit);
        }
        var body = exchange.Begin(200, protobuf ? Negotiation.Protobuf : Negotiation.Json);
        if (protobuf)
            await WriteProtobufAsync(body, exchange.Type, metadata, items, exchange.Aborted);
        else
            await WriteJsonAsync(body, exchange.Type, metadata, items, exchange.Aborted);
        await body.FlushAsync(exchange.Aborted);
    }

    private (ImmutableSortedDictionary<string, StoredObject> Items, long Version, string Start) Begin(Exchange exchange)
    {
        if (exchange.Query("continue") is { Length: > 0 } token)
            return tokens.Redeem(exchange.Type, token);
        var (items, version) = store.Snapshot(exchange.Type);
        string wanted = exchange.Query("resourceVersion");
        if (wanted.Length == 0)
            return (items, version, "");
        if (!long.TryParse(wanted, CultureInfo.InvariantCulture, out long number))
            throw new ApiException(ApiStatus.WrongVersion(wanted));
        if (number > version)
            throw new ApiException(new ApiStatus(504, "Timeout", $"Too large resource version: {number}, current: {version}")
            {
                RetryAfterSeconds = 1,
            });
        if (exchange.Query("resourceVersionMatch") == "Exact" && number != version)
            throw new ApiException(ApiStatus.Expired("The resourceVersion for the provided list is too old."));
        return (items, version, "");
    }

    private static int LimitOf(Exchange exchange)
    {
        string limit = exchange.Query("limit");
        return limit.Length == 0 ? 0
            : int.TryParse(limit, CultureInfo.InvariantCulture, out int number) ? number
            : throw new ApiException(ApiStatus.BadRequest($"strconv.ParseInt: parsing \"{limit}\": invalid syntax"));
    }

    private static async Task WriteProtobufAsync(
        FaultyBody body, ResourceType type, JsonObject metadata, List<StoredObject> items, CancellationToken aborted)
    {
        byte[] meta = ProtobufEncoder.Encode("ListMeta", metadata);
        int length = Envelope.FieldSize(meta.Length) + items.Sum(item => Envelope.FieldSize(item.Message.Length));
        await body.WriteAsync(Envelope.Head(type.ApiVersion, type.ListKind, length), aborted);
        await body.WriteAsync(Envelope.Prefix(1, meta.Length), aborted);
        await body.WriteAsync(meta, aborted);
        foreach (var item in items)
        {
            await body.WriteAsync(Envelope.Prefix(2, item.Message.Length), aborted);
            await body.WriteAsync(item.Message, aborted);
        }
        await body.WriteAsync(Envelope.Tail, aborted);
    }

    private static async Task WriteJsonAsync(
        FaultyBody body, ResourceType type, JsonObject metadata, List<StoredObject> items, CancellationToken aborted)
    {
        var head = new JsonObject { ["kind"] = type.ListKind, ["apiVersion"] = type.ApiVersion, ["metadata"] = metadata };
        byte[] text = JsonSerializer.SerializeToUtf8Bytes(head, Relaxed);
        await body.WriteAsync(text.AsMemory(0, text.Length - 1), aborted);
        await body.WriteAsync(",\"items\":["u8.ToArray(), aborted);
        byte[] comma = ","u8.ToArray();
        for (int index = 0; index < items.Count; index++)
        {
            if (index > 0)
                await body.WriteAsync(comma, aborted);
            await body.WriteAsync(items[index].Text, aborted);
        }
        await body.WriteAsync("]}\n"u8.ToArray(), aborted);
    }
}
