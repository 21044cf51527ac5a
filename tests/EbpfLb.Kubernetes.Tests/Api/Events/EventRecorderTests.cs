// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using EbpfLb.Kubernetes.Api.Client;
using EbpfLb.Kubernetes.Api.Events;
using EbpfLb.Kubernetes.Tests.Support;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Tests.Api.Events;

public sealed class EventRecorderTests : IDisposable
{
    private static readonly ObjectName Web = new("shop", "web");
    private readonly ManualTimeProvider _time = new();
    private readonly ScriptedTransport _transport = new();
    private readonly RecordingLogger<EventRecorder> _logger = new();
    private readonly EventRecorder _recorder;

    public EventRecorderTests() => _recorder = new EventRecorder(_transport, "node-1", _time, _logger);

    public void Dispose() => _transport.Dispose();

    [Fact]
    public async Task A_report_becomes_an_Event_with_every_field_the_API_demands()
    {
        _recorder.Report(Web, "uid-1", EventSeverity.Warning, EventReasons.NotProgrammed, "services_v1 is full");
        await SendAllAsync();

        var (method, path, contentType, body) = Assert.Single(_transport.Requests);
        Assert.Equal(("POST", "/apis/events.k8s.io/v1/namespaces/shop/events", "application/json"), (method, path, contentType));
        Assert.Equal(
            """
            {"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":"web.188fcf053de38000","namespace":"shop"},
            "eventTime":"2026-01-31T12:00:00.000000Z","reportingController":"ebpflb","reportingInstance":"node-1",
            "action":"Program","reason":"NotProgrammed",
            "regarding":{"apiVersion":"v1","kind":"Service","namespace":"shop","name":"web","uid":"uid-1"},
            "note":"services_v1 is full","type":"Warning"}
            """.ReplaceLineEndings(""),
            body);
    }

    [Fact]
    public async Task S30_A_health_check_port_that_is_taken_is_told_in_the_words_of_kube_proxy()
    {
        _recorder.Report(Web, "", EventSeverity.Warning, EventReasons.FailedToStartServiceHealthcheck, "port 32000 is in use");
        await SendAllAsync();

        var body = Body(0);
        Assert.Equal("FailedToStartServiceHealthcheck", body.GetProperty("reason").GetString());
        Assert.Equal("Listen", body.GetProperty("action").GetString());
        Assert.False(body.GetProperty("regarding").TryGetProperty("uid", out _));
    }

    [Theory]
    [InlineData(EventSeverity.Normal, "Normal")]
    [InlineData(EventSeverity.Warning, "Warning")]
    public async Task S23_The_severity_is_the_type_of_the_Event(EventSeverity severity, string expected)
    {
        _recorder.Report(Web, "", severity, EventReasons.FrontendConflict, "10.96.0.1:80/TCP");
        await SendAllAsync();
        Assert.Equal(expected, Body(0).GetProperty("type").GetString());
    }

    [Fact]
    public async Task The_same_report_again_is_a_count_that_is_told_every_five_minutes()
    {
        Report("one");
        await SendAllAsync();
        string name = Body(0).GetProperty("metadata").GetProperty("name").GetString()!;

        _time.Advance(TimeSpan.FromMinutes(1));
        Report("one");
        Report("one");
        await SendAllAsync();
        Assert.Single(_transport.Requests);

        _time.Advance(TimeSpan.FromMinutes(4));
        await SendAllAsync();
        var (method, path, contentType, body) = _transport.Requests[1];
        Assert.Equal(("PATCH", "application/merge-patch+json"), (method, contentType));
        Assert.Equal($"/apis/events.k8s.io/v1/namespaces/shop/events/{name}", path);
        Assert.Equal("""{"series":{"count":3,"lastObservedTime":"2026-01-31T12:01:00.000000Z"}}""", body);

        _time.Advance(TimeSpan.FromMinutes(10));
        await SendAllAsync();
        Assert.Equal(2, _transport.Requests.Count);

        Report("one");
        await SendAllAsync();
        Assert.Equal("""{"series":{"count":4,"lastObservedTime":"2026-01-31T12:15:00.000000Z"}}""", _transport.Requests[2].Body);
    }

    [Fact]
    public async Task Reports_before_the_Event_is_sent_are_one_Event_with_a_series()
    {
        Report("one");
        Report("one");
        await SendAllAsync();
        Assert.Equal(2, Body(0).GetProperty("series").GetProperty("count").GetInt32());
        Assert.Equal("POST", Assert.Single(_transport.Requests).Method);
    }

    [Fact]
    public async Task What_differs_in_note_uid_or_reason_is_another_Event_with_another_name()
    {
        Report("one");
        Report("two");
        _recorder.Report(Web, "other", EventSeverity.Warning, EventReasons.InvalidObject, "one");
        _recorder.Report(Web, "uid", EventSeverity.Warning, EventReasons.NotProgrammed, "one");
        await SendAllAsync();

        Assert.All(_transport.Requests, static request => Assert.Equal("POST", request.Method));
        Assert.Equal(4, Enumerable.Range(0, 4).Select(i => Body(i).GetProperty("metadata").ToString()).Distinct().Count());
    }

    [Fact]
    public async Task A_series_ends_after_half_an_hour_without_a_report()
    {
        Report("one");
        await SendAllAsync();
        _time.Advance(EventRecorder.SeriesEnd);
        Report("one");
        await SendAllAsync();

        Assert.Equal(["POST", "POST"], _transport.Requests.Select(static request => request.Method));
        Assert.False(Body(1).TryGetProperty("series", out _));
    }

    [Fact]
    public async Task An_Event_that_the_server_has_forgotten_is_created_again_with_its_count()
    {
        Report("one");
        await SendAllAsync();
        Report("one");
        _transport.Answer(HttpStatusCode.NotFound);
        _time.Advance(EventRecorder.SeriesInterval);
        await SendAllAsync();

        Assert.Equal(["POST", "PATCH", "POST"], _transport.Requests.Select(static request => request.Method));
        Assert.Equal(2, Body(2).GetProperty("series").GetProperty("count").GetInt32());
        Assert.Empty(_logger.Warnings);
    }

    [Fact]
    public async Task A_name_that_another_node_has_taken_is_left_to_it()
    {
        _transport.Answer(HttpStatusCode.Conflict);
        Report("one");
        await SendAllAsync();

        Assert.Equal(2, _transport.Requests.Count);
        Assert.NotEqual(Body(0).GetProperty("metadata").ToString(), Body(1).GetProperty("metadata").ToString());
        Assert.Empty(_logger.Warnings);
    }

    [Fact]
    public async Task One_Service_gets_25_Events_at_once_and_one_more_every_five_minutes()
    {
        for (int i = 0; i < 30; i++)
            Report($"note {i}");
        _recorder.Report(new ObjectName("shop", "other"), "", EventSeverity.Warning, EventReasons.InvalidObject, "one");
        await SendAllAsync();
        Assert.Equal(26, _transport.Requests.Count);
        Assert.Equal(5, _recorder.Dropped);
        Assert.Single(_logger.Warnings);

        _time.Advance(EventAllowances.Refill - TimeSpan.FromSeconds(10));
        Report("too early");
        _time.Advance(TimeSpan.FromSeconds(10));
        Report("in time");
        Report("one too many");
        await SendAllAsync();
        Assert.Equal("in time", Body(26).GetProperty("note").GetString());
        Assert.Equal(27, _transport.Requests.Count);
        Assert.Equal(7, _recorder.Dropped);
        Assert.Single(_logger.Warnings);
    }

    [Fact]
    public async Task Of_more_than_there_is_room_for_the_oldest_are_dropped()
    {
        for (int i = 0; i < EventRecorder.MaxRemembered + 3; i++)
            _recorder.Report(new ObjectName("shop", $"web-{i}"), "", EventSeverity.Warning, EventReasons.InvalidObject, "one");
        Assert.Equal(3, _recorder.Dropped);

        await SendAllAsync();
        Assert.Equal(EventRecorder.MaxRemembered, _transport.Requests.Count);
        Assert.Equal("web-3", Body(0).GetProperty("regarding").GetProperty("name").GetString());

        // Those that are sent make room for new ones, and nothing is lost.
        _recorder.Report(Web, "", EventSeverity.Warning, EventReasons.InvalidObject, "one");
        await SendAllAsync();
        Assert.Equal("web", Body(EventRecorder.MaxRemembered).GetProperty("regarding").GetProperty("name").GetString());
        Assert.Equal(3, _recorder.Dropped);
    }

    [Fact]
    public async Task S164_Without_the_right_to_write_them_one_warning_names_the_rule_and_Events_are_given_up()
    {
        _transport.Answer(HttpStatusCode.Forbidden);
        _transport.Answer(HttpStatusCode.Forbidden);
        Report("one");
        Report("two");
        Report("three");
        await SendAllAsync();

        string warning = Assert.Single(_logger.Warnings, static text => !text.Contains("dropped", StringComparison.Ordinal));
        Assert.Contains("403", warning, StringComparison.Ordinal);
        Assert.Contains("create and patch on events of the API group events.k8s.io", warning, StringComparison.Ordinal);
        Assert.Contains("shop/web", warning, StringComparison.Ordinal);
        Assert.Equal(3, _transport.Requests.Count);
        Assert.Equal(1, _logger.CountOf(2182));
        Assert.Equal(2, _recorder.Dropped);
    }

    [Fact]
    public async Task S146_While_the_server_is_away_one_request_every_ten_seconds_tries_and_the_failure_is_told_once()
    {
        _transport.Throw(new ApiUnreachableException("https://192.0.2.1:6443 refuses\nconnections"));
        _transport.Answer(HttpStatusCode.ServiceUnavailable);
        Report("one");
        Report("two");
        Assert.True((await _recorder.SendNextAsync(CancellationToken.None)).Sent);
        Assert.Equal((false, EventRecorder.RetryDelay), await _recorder.SendNextAsync(CancellationToken.None));

        _time.Advance(EventRecorder.RetryDelay);
        await SendAllAsync();
        Assert.Equal(2, _transport.Requests.Count);
        _time.Advance(EventRecorder.RetryDelay);
        await SendAllAsync();

        Assert.Equal(4, _transport.Requests.Count);
        Assert.Equal(0, _recorder.Dropped);
        Assert.Contains(@"refuses\u000aconnections", Assert.Single(_logger.Warnings), StringComparison.Ordinal);
        Assert.Equal(1, _logger.CountOf(2182));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task S178_A_clock_that_is_set_by_a_day_holds_no_Event_back_and_dates_it_right(int days)
    {
        _transport.Answer(HttpStatusCode.ServiceUnavailable);
        Report("one");
        Assert.True((await _recorder.SendNextAsync(CancellationToken.None)).Sent);
        _time.Jump(TimeSpan.FromDays(days));
        Assert.Equal((false, EventRecorder.RetryDelay), await _recorder.SendNextAsync(CancellationToken.None));

        _time.Advance(EventRecorder.RetryDelay);
        await SendAllAsync();
        Assert.Equal(2, _transport.Requests.Count);
        Report("two");
        await SendAllAsync();
        Assert.Contains(
            _time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture), _transport.Requests[^1].Body,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task S151_A_server_that_names_a_time_is_given_it()
    {
        _transport.Answer(HttpStatusCode.TooManyRequests, retryAfterSeconds: 60);
        Report("one");
        await SendAllAsync();
        Assert.Equal((false, TimeSpan.FromSeconds(60)), await _recorder.SendNextAsync(CancellationToken.None));
    }

    [Fact]
    public async Task An_Event_that_fails_twelve_times_is_given_up()
    {
        for (int i = 0; i < EventRecorder.MaxTries; i++)
            _transport.Answer(HttpStatusCode.InternalServerError);
        Report("one");
        for (int i = 0; i < EventRecorder.MaxTries + 3; i++)
        {
            await SendAllAsync();
            _time.Advance(EventRecorder.RetryDelay);
        }

        Assert.Equal(EventRecorder.MaxTries, _transport.Requests.Count);
        Assert.Equal(1, _recorder.Dropped);
    }

    [Theory]
    [InlineData(HttpStatusCode.BadRequest)]
    [InlineData(HttpStatusCode.UnprocessableEntity)]
    [InlineData(HttpStatusCode.NotFound)] // the namespace is gone
    public async Task What_the_server_refuses_as_such_is_not_tried_again(HttpStatusCode status)
    {
        _transport.Answer(status);
        Report("one");
        await SendAllAsync();
        _time.Advance(TimeSpan.FromHours(1));
        await SendAllAsync();
        Assert.Single(_transport.Requests);
    }

    [Theory]
    [InlineData("a\u001b[31mred\n", @"a\u001b[31mred\u000a")]
    [InlineData("quote \" and \\", "quote \" and \\")]
    public async Task A_note_from_outside_is_escaped(string note, string expected)
    {
        Report(note);
        await SendAllAsync();
        Assert.Equal(expected, Body(0).GetProperty("note").GetString());
    }

    [Theory]
    [InlineData("a", 1024, 1024)]
    [InlineData("a", 1025, 1024)]
    [InlineData("é", 512, 1024)]
    [InlineData("é", 513, 1023)]
    [InlineData("😀", 300, 1023)]
    [InlineData("a", 100000, 1024)]
    public async Task A_long_note_is_cut_between_two_characters(string character, int times, int bytes)
    {
        Report(string.Concat(Enumerable.Repeat(character, times)));
        await SendAllAsync();
        string note = Body(0).GetProperty("note").GetString()!;
        Assert.Equal(bytes, Encoding.UTF8.GetByteCount(note));
        Assert.Equal(Encoding.UTF8.GetByteCount(character) * times > 1024, note.EndsWith("...", StringComparison.Ordinal));
        Assert.DoesNotContain('\ufffd', note);
    }

    [Fact]
    public async Task The_name_of_a_node_is_cut_to_what_the_API_takes()
    {
        var recorder = new EventRecorder(_transport, new string('n', 253), _time, _logger);
        recorder.Report(Web, "", EventSeverity.Normal, EventReasons.InvalidObject, "one");
        await recorder.SendNextAsync(CancellationToken.None);
        Assert.Equal(new string('n', 128), Body(0).GetProperty("reportingInstance").GetString());
    }

    [Fact]
    public async Task It_sends_what_was_reported_before_and_while_it_runs_and_stops_when_told()
    {
        using var stopping = new CancellationTokenSource();
        Report("one");
        var running = _recorder.RunAsync(stopping.Token);
        await stopping.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Single(_transport.Requests);
    }

    private void Report(string note) => _recorder.Report(Web, "uid", EventSeverity.Warning, EventReasons.InvalidObject, note);

    [Fact]
    public async Task S151_A_time_without_measure_is_cut()
    {
        _transport.Answer(HttpStatusCode.TooManyRequests, retryAfterSeconds: int.MaxValue);
        _recorder.Report(Web, "", EventSeverity.Warning, EventReasons.NotProgrammed, "full");
        await _recorder.SendNextAsync(default);

        Assert.Equal((false, EventRecorder.MaxWait), await _recorder.SendNextAsync(default));
        _time.Advance(EventRecorder.MaxWait);
        Assert.True((await _recorder.SendNextAsync(default)).Sent);
    }

    [Fact]
    public async Task A_clock_that_is_set_back_by_a_year_is_not_waited_for_at_once()
    {
        _recorder.Report(Web, "", EventSeverity.Warning, EventReasons.NotProgrammed, "full");
        _time.Advance(TimeSpan.FromDays(-365));

        Assert.Equal((false, EventRecorder.MaxWait), await _recorder.SendNextAsync(default));
    }

    private async Task SendAllAsync()
    {
        while ((await _recorder.SendNextAsync(CancellationToken.None)).Sent)
        {
        }
    }

    private JsonElement Body(int index) => JsonDocument.Parse(_transport.Requests[index].Body).RootElement;
}
