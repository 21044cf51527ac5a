// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Api.Reflection;

/// <summary>What to do when the server does not do what it was asked. Each method returns how long to wait.</summary>
internal sealed partial class Reflector
{
    /// <summary>So many streams that end before they told all, and lists are asked for in pages.</summary>
    private const int MaxUnfinishedStreams = 2;

    private static readonly TimeSpan CutReportInterval = TimeSpan.FromMinutes(1);

    // Another reason of the same kind is in the status at once, and in the log when the last one is that old.
    private static readonly TimeSpan ReasonReportInterval = TimeSpan.FromMinutes(1);

    // Of the episode that began with a failure and ends when the server is followed again. Null: there is none.
    private string? _trouble;
    private long _troubleSince;
    private DateTimeOffset _troubleBegan;
    private string? _troubleKind;
    private bool _isTold;
    private string? _toldReason;
    private long _toldAt;
    private long? _cutReported;
    private bool _toldAbsent;

    private bool IsTroubled => _trouble is not null;

    private TimeSpan Ended(Attempt attempt)
    {
        if (_version is null)
            return Broken("the stream ended before it had told all objects", attempt);

        if (attempt.Progressed || Lived(attempt))
        {
            _pace.Reset();
            return TimeSpan.Zero;
        }

        var pause = _pace.Fail();
        if (_pace.Failures > 1)
            Trouble("ends", "the server ends the watch as soon as it begins", pause);
        return pause;
    }

    private TimeSpan Refused(ApiRefusedException refusal, Attempt attempt)
    {
        var code = (HttpStatusCode)refusal.Status.Code;
        bool isStreamedList = _version is null && !ListsInPages;
        switch (code)
        {
            case HttpStatusCode.Gone:
                return Expired(refusal, attempt);
            case HttpStatusCode.Unauthorized:
                return Unauthorized(refusal, attempt);
            case HttpStatusCode.Forbidden or HttpStatusCode.NotFound:
                return Denied(refusal, code);
            case HttpStatusCode.GatewayTimeout when _version is not null && refusal.Status.Reason == "Timeout":
                // It does not know the version yet, and may never: an etcd that was restored counts from lower again.
                _version = null;
                break;
        }

        if (isStreamedList && (code is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity
            || (refusal.InStream && code is HttpStatusCode.InternalServerError)))
        {
            ListInPages(refusal.Message);
            return TimeSpan.Zero;
        }

        if (isStreamedList && code == HttpStatusCode.InternalServerError)
            CountUnfinished(refusal.Message);
        Lost(attempt);
        return Trouble(refusal.Status.Code.ToString(System.Globalization.CultureInfo.InvariantCulture), refusal.Message,
            _pace.Fail(refusal.RetryAfter), ofServer: true);
    }

    private TimeSpan Broken(string reason, Attempt attempt)
    {
        reason = PrintableText.Escape(reason);
        if (_version is null && !ListsInPages && attempt.Answered)
            CountUnfinished(reason);
        bool wasFollowed = _version is not null && attempt.Answered;
        Lost(attempt);
        var pause = _pace.Fail(unreachable: !attempt.Answered);

        // Connections end; only one that cannot be made anew is trouble.
        if (wasFollowed && !IsTroubled && _pace.Failures == 1)
        {
            if (_cutReported is not { } reported || _time.GetElapsedTime(reported) >= CutReportInterval)
            {
                _cutReported = _time.GetTimestamp();
                _logger.WatchCut(_resource.Name, reason, PrintableText.Escape(_version!));
            }

            return pause;
        }

        return Trouble("broken", reason, pause, ofServer: true);
    }

    /// <summary>The first time in a row it lists anew at once: a version that is too old is everyday life, but lists are dear.</summary>
    private TimeSpan Expired(ApiRefusedException refusal, Attempt attempt)
    {
        if (attempt.Answered && Lived(attempt))
            _pace.Reset();
        if (_version is not null)
            _logger.Expired(_resource.Name, PrintableText.Escape(_version));
        else
            _listWhole = ListsInPages;
        _version = null;
        bool isFirst = _pace.Failures == 0;
        var pause = _pace.Fail(refusal.RetryAfter);
        if (_pace.Failures > 3)
            return Trouble("410", refusal.Message, pause);

        return isFirst ? TimeSpan.Zero : pause;
    }

    /// <summary>A token that has just been exchanged is nobody's mistake: the next try reads it anew.</summary>
    private TimeSpan Unauthorized(ApiRefusedException refusal, Attempt attempt)
    {
        Lost(attempt);
        var pause = _pace.Fail(refusal.RetryAfter);
        return _pace.Failures == 1 ? pause
            : Trouble("401", $"{refusal.Message}. The credentials are read anew for every try; see whether they are of this cluster "
                + "and have not expired", pause, ofServer: true);
    }

    private TimeSpan Denied(ApiRefusedException refusal, HttpStatusCode code)
    {
        _isConnected = false;
        bool isAbsent = code == HttpStatusCode.NotFound;
        if (_resource.Kind is ResourceKind.ServiceCidr or ResourceKind.Node)
            _mirror.ListWithout(complete: _resource.Kind == ResourceKind.ServiceCidr && isAbsent);

        if (_resource.Kind == ResourceKind.ServiceCidr && isAbsent)
        {
            if (!_toldAbsent)
                _logger.Absent(_resource.Name);
            _toldAbsent = true;
            ForgetTrouble();
            return _pace.Fail(_options.AbsentRetry);
        }

        return isAbsent
            ? Trouble("404", $"{refusal.Message}. Is this the address of a Kubernetes API server?", _pace.Fail(refusal.RetryAfter))
            : Trouble("403", $"the account lacks, in a ClusterRole that is bound to it, the rule {Rule()}; {refusal.Message}",
                _pace.Fail(refusal.RetryAfter));
    }

    private string Rule()
    {
        string[] parts = _resource.Name.Split('.', 2);
        return $"apiGroups: [\"{(parts.Length > 1 ? parts[1] : "")}\"], resources: [\"{parts[0]}\"], verbs: [\"list\", \"watch\"]";
    }

    private void CountUnfinished(string reason)
    {
        if (++_unfinishedStreams >= MaxUnfinishedStreams)
            ListInPages(reason);
    }

    private void ListInPages(string reason)
    {
        _unfinishedStreams = 0;
        _pagedSince = _time.GetTimestamp();
        _logger.NoStreamedLists(_resource.Name, reason, _options.PagedListTime.TotalMinutes);
    }

    private bool Lived(Attempt attempt) => _time.GetElapsedTime(attempt.Start) >= _options.HealthyAfter;

    // Events that came, or a stream that was open for a while: what failed before it no longer counts.
    private void Lost(Attempt attempt)
    {
        if (attempt.Answered && (attempt.Progressed || Lived(attempt)))
            _pace.Reset();
        _isConnected = false;
    }

    /// <summary>Told once in an episode, and again when it goes wrong in another way.</summary>
    /// <param name="ofServer">No other resource fares better, so one of them tells it for all.</param>
    private TimeSpan Trouble(string kind, string reason, TimeSpan pause, bool ofServer = false)
    {
        reason = reason.TrimEnd('.');
        if (_trouble is null)
            (_troubleSince, _troubleBegan) = (_time.GetTimestamp(), _time.GetUtcNow());
        if (_troubleKind != kind || (_isTold && reason != _toldReason && _time.GetElapsedTime(_toldAt) >= ReasonReportInterval))
            _isTold = false;
        _troubleKind = kind;
        string trouble = $"not followed since {_troubleBegan:yyyy-MM-dd HH:mm:ss}Z: {reason}";
        if (_trouble != trouble)
        {
            _trouble = trouble;
            _problems.SetResource(_resource, trouble);
            _problems.Publish();
        }

        if (!ofServer)
            _outage.Leave(_resource.Kind);
        if (!_isTold && (!ofServer || _outage.Join(_resource.Kind)))
        {
            (_isTold, _toldReason, _toldAt) = (true, reason, _time.GetTimestamp());
            _logger.Lost(_resource.Name, reason);
        }
        else
        {
            _logger.AttemptFailed(_resource.Name, _version is null ? "listing" : "watching", reason, (long)pause.TotalMilliseconds);
        }

        return pause;
    }

    private void EndTrouble()
    {
        if (_trouble is null)
            return;

        if (_isTold)
            _logger.Resumed(_resource.Name, _time.GetElapsedTime(_troubleSince).TotalSeconds);
        ForgetTrouble();
    }

    private void ForgetTrouble()
    {
        _trouble = null;
        _troubleKind = null;
        _isTold = false;
        _outage.Leave(_resource.Kind);
        _problems.SetResource(_resource, null);
        _problems.Publish();
    }
}
