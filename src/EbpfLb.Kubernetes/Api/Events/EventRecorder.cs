// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Net;
using System.Threading.Channels;
using EbpfLb.Kubernetes.Api.Client;
using EbpfLb.Kubernetes.Translation;
using EbpfLb.LoadBalancing.Model;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Kubernetes.Api.Events;

/// <summary>
/// Writes Events on Services. A report costs a look into a table and never waits; one task sends, slowly. The same report again is no
/// new Event but a count in the one there is, which the server is told every five minutes at most. What cannot be sent is tried again a
/// while, then given up: Events are for people who look, and nothing hangs on them.
/// </summary>
public sealed class EventRecorder
{
    /// <summary>Events remembered, sent or not. Beyond it the oldest that is not sent is dropped.</summary>
    internal const int MaxRemembered = 1000;

    /// <summary>Of one Event, as in client-go.</summary>
    internal const int MaxTries = 12;

    internal static readonly TimeSpan SeriesInterval = TimeSpan.FromMinutes(5);

    /// <summary>After so long without a further one, the same report is a new Event. The server itself forgets after an hour.</summary>
    internal static readonly TimeSpan SeriesEnd = TimeSpan.FromMinutes(30);

    internal static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(10);

    /// <summary>Between two requests: what kube-proxy allows itself.</summary>
    internal static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(200);

    /// <summary>Whatever the server asks for, and however far the clock is set back.</summary>
    internal static readonly TimeSpan MaxWait = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(30);

    private readonly IApiTransport _transport;
    private readonly string _nodeName;
    private readonly TimeProvider _time;
    private readonly DateTimeOffset _startedAt;
    private readonly long _startTimestamp;
    private readonly ILogger<EventRecorder> _logger;
    private readonly Channel<bool> _news =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly Lock _gate = new();

    // Everything below is read and written with _gate held.
    private readonly Dictionary<EventKey, RecordedEvent> _events = [];
    private readonly EventAllowances _allowances = new();
    private DateTimeOffset _notBefore;
    private long _sequence;
    private long _lastName;
    private long _dropped;

    // Owned by the task that sends.
    private bool _failing;

    internal EventRecorder(IApiTransport transport, string nodeName, TimeProvider time, ILogger<EventRecorder> logger)
    {
        _transport = transport;
        _nodeName = nodeName;
        _time = time;
        _startedAt = time.GetUtcNow();
        _startTimestamp = time.GetTimestamp();
        _logger = logger;
    }

    // As if nobody had set the clock since the start: what waits must not wait longer, or less, because somebody did.
    private DateTimeOffset Now => _startedAt + _time.GetElapsedTime(_startTimestamp);

    /// <summary>Reports that became no Event: too many of a Service, too many at once, or given up.</summary>
    public long Dropped
    {
        get
        {
            lock (_gate)
                return _dropped;
        }
    }

    /// <summary>From any thread; never waits.</summary>
    /// <param name="service">The Service; the Event is in its namespace.</param>
    /// <param name="uid">Of the object, empty when not known.</param>
    /// <param name="severity">Whether somebody should look.</param>
    /// <param name="reason">One of <see cref="EventReasons"/>.</param>
    /// <param name="note">For people. May be text from outside: it is escaped, and cut to what the API takes.</param>
    public void Report(ObjectName service, string uid, EventSeverity severity, string reason, string note)
    {
        ArgumentNullException.ThrowIfNull(uid);
        ArgumentException.ThrowIfNullOrEmpty(reason);
        ArgumentNullException.ThrowIfNull(note);
        var key = new EventKey(service, uid, severity, reason, EventRequests.FitNote(PrintableText.Escape(note)));
        var now = Now;
        bool firstDrop;
        lock (_gate)
        {
            long dropped = _dropped;
            if (_events.TryGetValue(key, out var recorded) && recorded.LastObserved + SeriesEnd > now)
                Repeat(recorded, now);
            else if (_allowances.TrySpend(service, now))
                Add(key, now);
            else
                _dropped++;
            firstDrop = dropped == 0 && _dropped > 0;
        }

        if (firstDrop)
            _logger.EventsDropped(service);
        _news.Writer.TryWrite(true);
    }

    /// <summary>Sends until it is stopped. What is not sent then is not sent.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            var (sent, wait) = await SendNextAsync(stopping).ConfigureAwait(false);
            if (sent)
                await Task.Delay(wait, _time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            else
                await WaitForNewsAsync(wait, stopping).ConfigureAwait(false);
        }
    }

    /// <summary>One request at most.</summary>
    /// <returns>Whether there was one, and how long to wait before the next.</returns>
    internal async Task<(bool Sent, TimeSpan Wait)> SendNextAsync(CancellationToken stopping)
    {
        RecordedEvent due;
        HttpRequestMessage request;
        int count;
        lock (_gate)
        {
            var now = Now;
            ForgetEnded(now);
            if (NextDue() is not { } next)
                return (false, Timeout.InfiniteTimeSpan);

            var at = next.DueAt > _notBefore ? next.DueAt : _notBefore;
            if (at > now)
                return (false, Shorter(at - now, MaxWait));

            due = next;
            count = due.Count;
            var jumped = _time.GetUtcNow() - now;
            request = due.Exists ? EventRequests.Patch(due, jumped) : EventRequests.Create(due, _nodeName, jumped);
        }

        using (request)
        {
            var answer = await SendAsync(request, stopping).ConfigureAwait(false);
            if (!stopping.IsCancellationRequested)
                Settle(due, count, answer);
        }

        return (true, Pace);
    }

    private async Task WaitForNewsAsync(TimeSpan wait, CancellationToken stopping)
    {
        using var stopWaiting = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        Task[] reasons = [_news.Reader.WaitToReadAsync(stopWaiting.Token).AsTask(), Task.Delay(wait, _time, stopWaiting.Token)];
        await Task.WhenAny(reasons).ConfigureAwait(false);
        await stopWaiting.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(reasons).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _news.Reader.TryRead(out _);
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static void Repeat(RecordedEvent recorded, DateTimeOffset now)
    {
        recorded.Count++;
        recorded.LastObserved = now;
        if (recorded.Exists && recorded.DueAt == DateTimeOffset.MaxValue)
            recorded.DueAt = recorded.SentAt + SeriesInterval;
    }

    private void Add(EventKey key, DateTimeOffset now)
    {
        if (_events.Count >= MaxRemembered && !_events.ContainsKey(key))
        {
            // Of those that are sent nothing is lost but a count.
            var oldest = _events.Values.MinBy(static recorded => (recorded.Exists, recorded.Sequence))!;
            _events.Remove(oldest.Key);
            _dropped += oldest.Exists ? 0 : 1;
        }

        _events[key] = new RecordedEvent(key, NextName(key.Service.Name, now), _sequence++, now);
    }

    // As client-go names them: the object and the time in nanoseconds. The clock may stand still between two.
    private string NextName(string service, DateTimeOffset now)
    {
        long nanoseconds = (now - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;
        _lastName = Math.Max(nanoseconds, _lastName + 1);
        return string.Create(CultureInfo.InvariantCulture, $"{service}.{_lastName:x}");
    }

    private RecordedEvent? NextDue()
    {
        RecordedEvent? next = null;
        foreach (var recorded in _events.Values)
        {
            if (recorded.DueAt != DateTimeOffset.MaxValue
                && (next is null || (recorded.DueAt, recorded.Sequence).CompareTo((next.DueAt, next.Sequence)) < 0))
                next = recorded;
        }

        return next;
    }

    private void ForgetEnded(DateTimeOffset now)
    {
        foreach (var recorded in _events.Values.Where(
            recorded => recorded.DueAt == DateTimeOffset.MaxValue && recorded.LastObserved + SeriesEnd <= now).ToArray())
            _events.Remove(recorded.Key);
    }

    // Status 0: there was no answer.
    private async Task<Answer> SendAsync(HttpRequestMessage request, CancellationToken stopping)
    {
        using var timeout = new CancellationTokenSource(RequestTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, timeout.Token);
        try
        {
            using var response = await _transport.SendAsync(request, either.Token).ConfigureAwait(false);
            return new Answer(response.StatusCode, response.Headers.RetryAfter?.Delta, $"HTTP {(int)response.StatusCode}");
        }
        catch (OperationCanceledException)
        {
            return new Answer(0, null, $"no answer within {RequestTimeout.TotalSeconds} s");
        }
        catch (Exception unreachable) when (unreachable is ApiUnreachableException or HttpRequestException or IOException
            or ObjectDisposedException)
        {
            return new Answer(0, null, unreachable.Message);
        }
    }

    private void Settle(RecordedEvent due, int count, Answer answer)
    {
        bool good = (int)answer.Status is >= 200 and < 300;
        lock (_gate)
        {
            var now = Now;
            if (good)
            {
                due.SentCount = count;
                due.SentAt = now;
                due.Tries = 0;
                due.DueAt = due.Count > count ? now + SeriesInterval : DateTimeOffset.MaxValue;
            }
            else if (answer.Status == HttpStatusCode.NotFound && due.Exists)
            {
                // The server has forgotten it: it begins again, with all it counted.
                due.SentCount = 0;
                due.Name = NextName(due.Key.Service.Name, now);
                due.DueAt = now;
            }
            else if (++due.Tries < MaxTries && answer.MayPass)
            {
                due.DueAt = now;
                if (answer.Status == HttpStatusCode.Conflict)
                    due.Name = NextName(due.Key.Service.Name, now);
                else
                    _notBefore = now + (answer.RetryAfter is { } asked && asked > RetryDelay ? Shorter(asked, MaxWait) : RetryDelay);
            }
            else if (_events.TryGetValue(due.Key, out var current) && current == due)
            {
                _events.Remove(due.Key);
                _dropped++;
            }
        }

        Tell(due, answer, good);
    }

    // Once until it works again.
    private void Tell(RecordedEvent due, Answer answer, bool good)
    {
        if (good && _failing)
            _logger.EventsWrittenAgain();
        else if (!good && !_failing && answer.Status == HttpStatusCode.Forbidden)
            _logger.EventsForbidden(due.Key.Service);
        else if (!good && !_failing && answer.Status is not (HttpStatusCode.NotFound or HttpStatusCode.Conflict))
            _logger.EventFailed(due.Key.Service, PrintableText.Escape(answer.Text));
        else if (!good)
            return;

        _failing = !good;
    }

    /// <param name="Status">0 when there was none.</param>
    /// <param name="RetryAfter">What the server asked for.</param>
    /// <param name="Text">For the log.</param>
    private readonly record struct Answer(HttpStatusCode Status, TimeSpan? RetryAfter, string Text)
    {
        /// <summary>Another try may go better. What is refused as such will be refused again.</summary>
        public bool MayPass => Status is 0 or HttpStatusCode.Unauthorized or HttpStatusCode.Conflict or HttpStatusCode.TooManyRequests
            || (int)Status >= 500;
    }
}
