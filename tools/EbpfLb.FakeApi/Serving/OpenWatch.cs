// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
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
    private readonly ConcurrentQueue<(WatchCommand Command, long Version)> _commands = new();
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

    /// <param name="version">Of the store, when the command was given.</param>
    public void Post(WatchCommand command, long version)
    {
        _commands.Enqueue((command, version));
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
            if (await GoOnAsync(store))
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

    // Commands and changes in the order they came in: a command is in the queue before a later change can be seen.
    private async Task<bool> GoOnAsync(ObjectStore store)
    {
        if (store.After(Type, _version, goesOn: true) is not { } changes)
            return true;
        var events = new Queue<StoreEvent>(changes.Events);
        while (_commands.TryPeek(out var posted))
        {
            if (posted.Version > changes.Version)
            {
                Wake();
                break;
            }
            if (await SendChangesAsync(events, posted.Version))
                return true;
            _commands.TryDequeue(out _);
            if (await ObeyAsync(posted.Command))
                return true;
        }
        return await SendChangesAsync(events, changes.Version);
    }

    private async Task<bool> SendChangesAsync(Queue<StoreEvent> events, long until)
    {
        while (events.TryPeek(out var change) && change.ResourceVersion <= until)
        {
            events.Dequeue();
            if (change.SeenBy(_selection) is { } seen)
            {
                long now = Stopwatch.GetTimestamp();
                if (await SendAsync(seen.Type, seen.Object))
                    return true;
                change.MarkWritten(now);
            }
        }
        _version = Math.Max(_version, until);
        await _body.FlushAsync(_exchange.Aborted);
        return false;
    }

    private async Task<bool> ObeyAsync(WatchCommand command)
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
        {
            var annotations = new JsonObject { ["padding"] = new string('x', padding) };
            item = item.With(json => StoredObject.Metadata(json)["annotations"] = annotations);
        }
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
        if (Rule is not { Ending: { } ending and not (WatchEnding.ResetInFrame or WatchEnding.EndInFrame) } rule
            || _sent < rule.EndAfterEvents)
        {
            return false;
        }
        int code = rule.Status ?? 410;
        var status = new ApiStatus(code, rule.Reason ?? ApiStatus.ReasonOf(code), rule.Message ?? "too old resource version");
        await FinishAsync(ending, status, null);
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
