// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;
using EbpfLb.FakeApi.Faults;
using EbpfLb.FakeApi.Store;
using Microsoft.AspNetCore.Connections;

namespace EbpfLb.FakeApi.Serving;

/// <summary>One watch. Its task alone writes to the client; others leave it commands.</summary>
internal sealed class OpenWatch
{
    private readonly Exchange _exchange;
    private readonly Selection _selection;
    private readonly WatchFrames _frames;
    private readonly FaultyBody _body;
    private readonly bool _bookmarks;
    private readonly ConcurrentQueue<WatchCommand> _commands = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1)
    {
        FullMode = BoundedChannelFullMode.DropWrite,
    });

    private int _sent;
    private long _version;
    private (EventType Type, StoredObject Object)? _heldBack;

    public OpenWatch(Exchange exchange, Selection selection, WatchFrames frames, FaultyBody body, bool bookmarks)
    {
        (_exchange, _selection, _frames, _body, _bookmarks) = (exchange, selection, frames, body, bookmarks);
    }

    public ResourceType Type => _exchange.Type;

    public bool HasCaughtUp { get; private set; }

    private FaultRule? Rule => _exchange.Rule;

    public void Wake() => _wake.Writer.TryWrite(true);

    public void Post(WatchCommand command)
    {
        _commands.Enqueue(command);
        Wake();
    }

    /// <returns>Once the stream shall end.</returns>
    /// <param name="initial">What exists; null where the watch goes on from a version.</param>
    /// <param name="initialEventsEnd">Whether to say that the initial events are over.</param>
    /// <param name="timeout">Cancelled when the time is over that the client asked for.</param>
    public async Task RunAsync(
        ObjectStore store, OpenWatches watches, IEnumerable<StoredObject>? initial, long version, bool initialEventsEnd,
        CancellationToken timeout)
    {
        _version = version;
        await _body.FlushAsync(_exchange.Aborted);
        if (await FinishIfDueAsync())
            return;
        foreach (var item in (initial ?? []).Where(_selection.Matches))
        {
            if (await SendAsync(EventType.Added, item))
                return;
        }
        if (initialEventsEnd)
            await _body.WriteAsync(_frames.Bookmark(Type, version, initialEventsEnd: true), _exchange.Aborted);
        await _body.FlushAsync(_exchange.Aborted);
        while (true)
        {
            if (await SendChangesAsync(store) || await ObeyAsync())
                return;
            if (!HasCaughtUp)
            {
                HasCaughtUp = true;
                watches.CaughtUp();
            }
            if (!await WaitAsync(timeout))
                break;
        }
        if (_bookmarks)
            await _body.WriteAsync(_frames.Bookmark(Type, _version, initialEventsEnd: false), _exchange.Aborted);
    }

    private async Task<bool> WaitAsync(CancellationToken timeout)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout, _exchange.Aborted);
        try
        {
            await _wake.Reader.ReadAsync(either.Token);
            return true;
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !_exchange.Aborted.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task<bool> SendChangesAsync(ObjectStore store)
    {
        if (store.After(Type, _version, goesOn: true) is not { } changes)
            return true;
        foreach (var change in changes.Events)
        {
            if (change.SeenBy(_selection) is { } seen)
            {
                long now = Stopwatch.GetTimestamp();
                if (await SendAsync(seen.Type, seen.Object))
                    return true;
                change.MarkWritten(now);
            }
            _version = change.ResourceVersion;
        }
        _version = changes.Version;
        await _body.FlushAsync(_exchange.Aborted);
        return false;
    }

    private async Task<bool> ObeyAsync()
    {
        while (_commands.TryDequeue(out var command))
        {
            switch (command)
            {
                case WatchCommand.Send send:
                    await _body.WriteAsync(_frames.Of(send.Type, send.Object), _exchange.Aborted);
                    break;
                case WatchCommand.SendRaw raw:
                    await _body.WriteAsync(raw.Bytes, _exchange.Aborted);
                    break;
                case WatchCommand.SendBookmark when _bookmarks:
                    await _body.WriteAsync(_frames.Bookmark(Type, _version, initialEventsEnd: false), _exchange.Aborted);
                    break;
                case WatchCommand.Finish finish:
                    await FinishAsync(finish.Ending, finish.Status, null);
                    return true;
                default:
                    break;
            }
            await _body.FlushAsync(_exchange.Aborted);
        }
        return false;
    }

    // True: the stream has ended.
    private async Task<bool> SendAsync(EventType type, StoredObject item)
    {
        if (Rule is { Reorder: true })
        {
            if (_heldBack is not { } earlier)
            {
                _heldBack = (type, item);
                return false;
            }
            _heldBack = null;
            return await SendNowAsync(type, item) || await SendNowAsync(earlier.Type, earlier.Object);
        }
        return await SendNowAsync(type, item);
    }

    private async Task<bool> SendNowAsync(EventType type, StoredObject item)
    {
        if (Rule?.Padding is { } padding)
            item = item.With(json => json["metadata"]!["annotations"] = new System.Text.Json.Nodes.JsonObject { ["padding"] = new string('x', padding) });
        byte[] frame = _frames.Of(type, item);
        for (int copy = 0; copy < (Rule?.Copies ?? 1); copy++)
        {
            if (Rule is { Ending: WatchEnding.ResetInFrame or WatchEnding.EndInFrame } && _sent >= Rule.EndAfterEvents)
            {
                await FinishAsync(Rule.Ending.Value, null, frame);
                return true;
            }
            if (Rule is { EmptyLines: true } && !_frames.IsProtobuf)
                await _body.WriteAsync("\n\r\n\n"u8.ToArray(), _exchange.Aborted);
            await _body.WriteAsync(frame, _exchange.Aborted);
        }
        _sent++;
        return await FinishIfDueAsync();
    }

    private async Task<bool> FinishIfDueAsync()
    {
        if (Rule is not { Ending: { } ending and not (WatchEnding.ResetInFrame or WatchEnding.EndInFrame) } rule || _sent < rule.EndAfterEvents)
            return false;
        int code = rule.Status ?? 410;
        await FinishAsync(ending, new ApiStatus(code, rule.Reason ?? ApiStatus.ReasonOf(code), rule.Message ?? "too old resource version"), null);
        return true;
    }

    private async Task FinishAsync(WatchEnding ending, ApiStatus? status, byte[]? frame)
    {
        if (ending is WatchEnding.ResetInFrame or WatchEnding.EndInFrame)
        {
            frame ??= _frames.Bookmark(Type, _version, initialEventsEnd: false);
            await _body.WriteAsync(frame.AsMemory(0, frame.Length / 2), _exchange.Aborted);
        }
        if (ending == WatchEnding.Error)
            await _body.WriteAsync(_frames.Error(status ?? ApiStatus.Expired("too old resource version")), _exchange.Aborted);
        await _body.FlushAsync(_exchange.Aborted);
        if (ending is WatchEnding.Reset or WatchEnding.ResetInFrame)
        {
            _exchange.Context.Abort();
            throw new ConnectionAbortedException("asked for by a rule");
        }
        if (ending == WatchEnding.Silence)
            await Task.Delay(Timeout.InfiniteTimeSpan, _exchange.Aborted);
    }
}
