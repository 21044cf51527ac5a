// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Api.Client;
using EbpfLb.Kubernetes.Api.Wire;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Kubernetes.Api.Reflection;

/// <summary>
/// Lists one resource and follows its changes, for ever. Lists come as the first part of a watch where the server sends them so,
/// otherwise in pages. What the server said last stays in force whatever goes wrong; what a new list has not is removed once that list
/// is complete.
/// </summary>
internal sealed partial class Reflector
{
    private readonly ApiResource _resource;
    private readonly ResourceClient _client;
    private readonly ResourceMirror _mirror;
    private readonly ProblemBook _problems;
    private readonly ServerOutage _outage;
    private readonly ReflectorOptions _options;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _logger;
    private readonly AttemptPace _pace;

    // From which the next watch goes on. Null: everything must be listed.
    private string? _version;

    // Since when lists are asked for in pages. Null: they come as streams.
    private long? _pagedSince;
    private int _unfinishedStreams;

    // The server lost the place in a list of pages: the next one is asked for in one piece.
    private bool _listWhole;
    private bool _bookmarksSeen;
    private bool _isConnected;
    private DateTimeOffset? _lastContact;
    private volatile ApiResourceStatus _status;

    public Reflector(ApiResource resource, IApiTransport transport, ResourceMirror mirror, ProblemBook problems,
        ServerOutage outage, ReflectorOptions options, TimeProvider time, Random random, ILogger logger)
    {
        _resource = resource;
        _client = new ResourceClient(transport, resource, time);
        _mirror = mirror;
        _problems = problems;
        _outage = outage;
        _options = options;
        _time = time;
        _random = random;
        _logger = logger;
        _pace = new AttemptPace(time, random);
        _status = new ApiResourceStatus(resource.Name, Connected: false, Listed: false, 0, null);
    }

    /// <summary>A snapshot. Any thread may read it.</summary>
    public ApiResourceStatus Status => _status;

    private bool ListsInPages => _pagedSince is { } since && _time.GetElapsedTime(since) < _options.PagedListTime;

    /// <summary>Until it is stopped. What a server does never ends it.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        await using var patience = _resource.Kind == ResourceKind.Node
            ? _time.CreateTimer(_ => GiveUpWaiting(), null, _options.NodePatience, _options.NodePatience)
            : null;
        while (true)
        {
            await PauseAsync(_pace.Take(), stopping).ConfigureAwait(false);
            var pause = await AttemptAsync(stopping).ConfigureAwait(false);
            await PauseAsync(pause, stopping).ConfigureAwait(false);
        }
    }

    private Task PauseAsync(TimeSpan pause, CancellationToken stopping) =>
        pause > TimeSpan.Zero ? Task.Delay(pause, _time, stopping) : Task.CompletedTask;

    private async Task<TimeSpan> AttemptAsync(CancellationToken stopping)
    {
        var attempt = new Attempt(_time.GetTimestamp());
        try
        {
            if (_version is null && ListsInPages)
            {
                await ListAsync(attempt, stopping).ConfigureAwait(false);
                return TimeSpan.Zero;
            }

            await WatchAsync(attempt, stopping).ConfigureAwait(false);
            return Ended(attempt);
        }
        catch (ApiRefusedException refusal)
        {
            return Refused(refusal, attempt);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            return Broken($"nothing came for {attempt.Limit.TotalSeconds:F0} s", attempt);
        }
        catch (Exception error) when (error is ApiUnreachableException or HttpRequestException or IOException or WireException
            or ObjectDisposedException)
        {
            // The last when the transport ended a connection of HTTP/1.1 between two reads, for one with newer certificates.
            return Broken(error.Message, attempt);
        }
        finally
        {
            if (_version is null)
                _mirror.AbandonList();
            UpdateStatus();
        }
    }

    private async Task ListAsync(Attempt attempt, CancellationToken stopping)
    {
        int? limit = _listWhole ? null : _options.PageSize;
        string? next = null;
        _mirror.BeginList();
        while (true)
        {
            ListPage page;
            using (var stall = new StallTimer(_time, attempt.Limit = _options.HeaderLimit, stopping))
                page = await _client.ListAsync(limit, next, _options.AnswerLimit, stall).ConfigureAwait(false);
            _mirror.Take(page);
            _mirror.Publish();
            Contacted();
            if (string.IsNullOrEmpty(page.Continue))
            {
                Listed(page.ResourceVersion, attempt);
                return;
            }

            if (page.Continue == next)
                throw new WireException("the server asks to continue a list where it was continued before");

            // Pages that bring something end; others might not.
            if (page.Items.Count == 0)
                await PauseAsync(_pace.Take(), stopping).ConfigureAwait(false);
            next = page.Continue;
        }
    }

    private async Task WatchAsync(Attempt attempt, CancellationToken stopping)
    {
        int seconds = (int)(_options.WatchTime.TotalSeconds * (1 + _random.NextDouble()));
        using var stall = new StallTimer(_time, attempt.Limit = _options.HeaderLimit, stopping);
        using var response = await _client.WatchAsync(_version, seconds, stall).ConfigureAwait(false);
        attempt.Answered = true;
        var body = await ResourceClient.OpenAsync(response, stall).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            if (_version is null)
                _mirror.BeginList();
            SetLimit(seconds, stall, attempt);
            var events = _client.ReadWatchAsync(response, body, stall).GetAsyncEnumerator(stall.Token);
            await using (events.ConfigureAwait(false))
            {
                Contacted();
                await FollowAsync(events, seconds, stall, attempt).ConfigureAwait(false);
            }
        }
    }

    /// <summary>What has come already becomes visible at once; nothing waits for more.</summary>
    private async Task FollowAsync(IAsyncEnumerator<WatchEvent> events, int seconds, StallTimer stall, Attempt attempt)
    {
        try
        {
            int batched = 0;
            while (true)
            {
                var next = events.MoveNextAsync();
                if (!next.IsCompleted || batched == _options.BatchLimit)
                {
                    batched = 0;
                    _mirror.Publish();
                    Contacted();
                }

                bool isQuiet = !next.IsCompleted && _version is not null && IsTroubled;
                bool isMore = isQuiet
                    ? await WaitQuietlyAsync(next.AsTask()).ConfigureAwait(false)
                    : await next.ConfigureAwait(false);
                if (!isMore)
                    return;

                batched++;
                Take(events.Current, attempt);
                SetLimit(seconds, stall, attempt);
            }
        }
        finally
        {
            _mirror.Publish();
        }
    }

    /// <summary>A stream may be well for a minute before it says so by an event.</summary>
    private async Task<bool> WaitQuietlyAsync(Task<bool> next)
    {
        using var enough = new CancellationTokenSource();
        if (await Task.WhenAny(next, Task.Delay(_options.HealthyAfter, _time, enough.Token)).ConfigureAwait(false) != next)
        {
            EndTrouble();
            UpdateStatus();
        }

        await enough.CancelAsync().ConfigureAwait(false);
        return await next.ConfigureAwait(false);
    }

    private void Take(WatchEvent told, Attempt attempt)
    {
        switch (told.Type)
        {
            case WatchEventType.Error:
                throw new ApiRefusedException(told.Status ?? new ApiStatus(500, "", "an error without a status"), null, inStream: true);
            case WatchEventType.Bookmark when _version is null:
                if (told.InitialEventsEnd)
                    Listed(told.ResourceVersion, attempt);
                return;
            case WatchEventType.Bookmark:
                _bookmarksSeen = true;
                break;
            default:
                _mirror.Take(told);
                break;
        }

        // Until the end of the list it is in no order, so no place to go on from.
        if (_version is null)
            return;

        _version = Later(_version, told.ResourceVersion);
        attempt.Progressed = true;
        EndTrouble();
    }

    private static string Later(string known, string? told) =>
        string.IsNullOrEmpty(told) || (ulong.TryParse(known, out ulong before) && ulong.TryParse(told, out ulong after) && after <= before)
            ? known
            : told;

    private void Listed(string? version, Attempt attempt)
    {
        if (string.IsNullOrEmpty(version))
            throw new WireException("the list says no resourceVersion to go on from");

        _mirror.EndList();
        _version = version;
        _listWhole = false;
        _unfinishedStreams = 0;
        _logger.Listed(_resource.Name, _mirror.Count, (long)_time.GetElapsedTime(attempt.Start).TotalMilliseconds,
            Translation.PrintableText.Escape(version));
        EndTrouble();
    }

    private void SetLimit(int seconds, StallTimer stall, Attempt attempt) =>
        stall.Limit = attempt.Limit = _version is null ? _options.AnswerLimit
            : _bookmarksSeen ? _options.SilenceLimit
            : TimeSpan.FromSeconds(seconds) + _options.AnswerLimit;

    private void Contacted()
    {
        _isConnected = true;
        _outage.Answered();
        _lastContact = _time.GetUtcNow();
        UpdateStatus();
    }

    private void UpdateStatus() =>
        _status = new ApiResourceStatus(_resource.Name, _isConnected && !IsTroubled, _mirror.IsListed, _mirror.Count, _lastContact);

    private void GiveUpWaiting()
    {
        // Without the server nothing else is listed either, and the node is not what is waited for.
        if (_mirror.IsListed || _outage.IsWhole)
            return;

        _logger.NodeMissing(_resource.Name, _options.NodePatience.TotalSeconds);
        _mirror.ListWithout(complete: false);
    }

    private sealed class Attempt(long start)
    {
        public long Start => start;

        /// <summary>How long the server may say nothing now.</summary>
        public TimeSpan Limit { get; set; }

        /// <summary>The stream of a watch began.</summary>
        public bool Answered { get; set; }

        /// <summary>Something came that was not known before it.</summary>
        public bool Progressed { get; set; }
    }
}
