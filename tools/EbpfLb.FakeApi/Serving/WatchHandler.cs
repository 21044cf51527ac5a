// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.FakeApi.Store;

namespace EbpfLb.FakeApi.Serving;

internal sealed class WatchHandler(ObjectStore store, OpenWatches watches)
{
    public async Task HandleAsync(Exchange exchange)
    {
        var selection = exchange.Selection();
        bool protobuf = exchange.WantsProtobuf(exchange.Type.Message is not null);
        bool bookmarks = exchange.Query("allowWatchBookmarks") is "1" or "true";
        string initialEvents = exchange.Query("sendInitialEvents");
        if (initialEvents.Length > 0 && exchange.Query("resourceVersionMatch") != "NotOlderThan")
        {
            throw new ApiException(new ApiStatus(
                422, "Invalid",
                "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting "
                + "resourceVersionMatch to NotOlderThan"));
        }
        long? from = VersionOf(exchange);
        using var timeout = TimeoutOf(exchange);
        var frames = new WatchFrames(protobuf);
        var body = exchange.Begin(200, protobuf ? Negotiation.Protobuf + ";stream=watch" : Negotiation.Json);
        var watch = new OpenWatch(exchange, selection, frames, body, bookmarks);
        store.Changed += watch.Wake;
        watches.Add(watch);
        try
        {
            bool wantsInitial = initialEvents.Length > 0 ? initialEvents is "1" or "true" : from is null;
            var (items, version) = store.Snapshot(exchange.Type);
            if (!wantsInitial && from is not null && store.After(exchange.Type, from.Value, goesOn: false) is null)
            {
                await body.WriteAsync(frames.Error(ApiStatus.Expired($"too old resource version: {from} ({version})")), exchange.Aborted);
                await body.FlushAsync(exchange.Aborted);
                return;
            }
            await watch.RunAsync(
                store, watches, wantsInitial ? items.Values : null, wantsInitial ? version : from ?? version,
                wantsInitial && bookmarks && initialEvents.Length > 0, timeout.Token);
        }
        finally
        {
            store.Changed -= watch.Wake;
            watches.Remove(watch);
        }
    }

    // Null: from what exists.
    private static long? VersionOf(Exchange exchange)
    {
        string version = exchange.Query("resourceVersion");
        return version is "" or "0" ? null
            : long.TryParse(version, CultureInfo.InvariantCulture, out long number) ? number
            : throw new ApiException(ApiStatus.WrongVersion(version));
    }

    private static CancellationTokenSource TimeoutOf(Exchange exchange) =>
        double.TryParse(exchange.Query("timeoutSeconds"), CultureInfo.InvariantCulture, out double seconds) && seconds > 0
            ? new CancellationTokenSource(TimeSpan.FromSeconds(Math.Min(seconds, 1_000_000)), exchange.Time)
            : new CancellationTokenSource();
}
