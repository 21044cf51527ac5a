// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Api;
using EbpfLb.Kubernetes.Api.Client;
using EbpfLb.Kubernetes.Api.Reflection;
using EbpfLb.Kubernetes.Tests.Api.Support;

namespace EbpfLb.Kubernetes.Tests.Api.Reflection;

public sealed class RefusalTests
{
    private const int Absent = 2106;

    [Fact]
    public async Task S145_server_that_cannot_be_reached_at_the_start_hands_out_nothing_and_is_tried_again()
    {
        await using var fixture = new ReflectorFixture();
        var start = fixture.Clock.GetUtcNow();
        for (int i = 0; i < 20; i++)
        {
            (await fixture.NextAfterPausesAsync()).Fail(
                new ApiUnreachableException("The API server https://192.0.2.1:6443 cannot be reached: connection refused."));
        }

        var last = await fixture.NextAfterPausesAsync();
        Assert.InRange(last.At - start, TimeSpan.FromSeconds(55), TimeSpan.FromSeconds(90));
        // S146: once the server is back, the node knows within five seconds.
        Assert.InRange(last.At - fixture.Server.Log.ToArray()[^2].At, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(5));
        Assert.False(fixture.Writer.Take().IsListed);
        Assert.Equal("services: The API server https://192.0.2.1:6443 cannot be reached: connection refused. "
            + "What was last seen stays in force; trying again", Assert.Single(fixture.Logger.Warnings));
        Assert.EndsWith("connection refused", Assert.Single(fixture.Problems.Current).Message, StringComparison.Ordinal);
        Assert.Equal(new ApiResourceStatus("services", false, false, 0, null), fixture.Status);

        last.Watch(ApiText.Added(ApiText.Service("web", 5)), ApiText.Bookmark(7, isEnd: true));
        await fixture.ServicesAreAsync("web=10.96.0.10");
        await ReflectorFixture.UntilAsync(() => fixture.Problems.Current.Count == 0);
        Assert.Equal(1, fixture.Logger.CountOf(2102));
    }

    [Fact]
    public async Task What_is_wrong_now_is_shown_and_since_when_nothing_came()
    {
        await using var fixture = new ReflectorFixture();
        var refused = await fixture.NextAsync();
        string began = $"not followed since {fixture.Clock.GetUtcNow():yyyy-MM-dd HH:mm:ss}Z: ";
        refused.Fail(new ApiUnreachableException("connection refused."));
        await ReflectorFixture.UntilAsync(() => fixture.Problems.Current.Count == 1);
        Assert.Equal(began + "connection refused", fixture.Problems.Current[0].Message);

        (await fixture.NextAfterPausesAsync()).Fail(new ApiUnreachableException("the certificate comes from another authority."));
        await ReflectorFixture.UntilAsync(() => fixture.Problems.Current[0].Message == began + "the certificate comes from another authority");
        Assert.Single(fixture.Logger.Warnings);

        // In the log once the first has stood there for a minute.
        for (int i = 0; i < 30; i++)
            (await fixture.NextAfterPausesAsync()).Fail(new ApiUnreachableException("the certificate comes from another authority."));
        await ReflectorFixture.UntilAsync(() => fixture.Logger.Warnings.Count == 2);
        Assert.StartsWith("services: the certificate comes from another authority", fixture.Logger.Warnings[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(429, "TooManyRequests")]
    [InlineData(503, "ServiceUnavailable")]
    public async Task S151_time_that_the_server_asks_for_is_given(int code, string reason)
    {
        await using var fixture = new ReflectorFixture();
        (await fixture.NextAsync()).Refuse(code, reason, retryAfter: TimeSpan.FromSeconds(5));
        Assert.InRange(await fixture.PassPauseAsync(), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(7.5));

        Assert.True((await fixture.NextAsync()).IsStreamedList);
    }

    [Fact]
    public async Task S151_in_stream_429_is_waited_for_and_the_watch_goes_on()
    {
        await using var fixture = new ReflectorFixture();
        var watch = await fixture.ListAsync(7, ApiText.Service("web", 5));
        watch.Send(ApiText.Error(429, "TooManyRequests", "slow down"));
        await fixture.PassPauseAsync();

        Assert.Equal("7", (await fixture.NextAsync())["resourceVersion"]);
        Assert.Equal("web=10.96.0.10", fixture.Services());
    }

    [Fact]
    public async Task S151_time_without_measure_is_cut()
    {
        await using var fixture = new ReflectorFixture();
        (await fixture.NextAsync()).Refuse(429, "TooManyRequests", retryAfter: TimeSpan.FromDays(10_000));
        Assert.InRange(await fixture.Clock.PassAsync(time => time > TimeSpan.FromMinutes(4)),
            TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(7.5));
        await fixture.NextAsync();
    }

    [Theory]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(401)]
    [InlineData(302)]
    public async Task S151_server_that_always_refuses_is_asked_less_and_less(int code)
    {
        await using var fixture = new ReflectorFixture();
        for (int i = 0; i < 15; i++)
            (await fixture.NextAfterPausesAsync()).Refuse(code, "");
        var last = await fixture.NextAfterPausesAsync();

        WatchingTests.AssertPaced(fixture);
        Assert.True(last.At - fixture.Server.Log.First().At > TimeSpan.FromSeconds(150));
        Assert.Single(fixture.Logger.Warnings);
        Assert.False(fixture.Writer.IsComplete);
    }

    [Fact]
    public async Task S151_token_that_was_exchanged_is_tried_soon_and_nobody_is_told()
    {
        await using var fixture = new ReflectorFixture();
        var watch = await fixture.ListAsync(7, ApiText.Service("web", 5));
        watch.Send(ApiText.Bookmark(8));
        watch.End();
        (await fixture.NextAsync()).Refuse(401, "Unauthorized", "Unauthorized");
        Assert.InRange(await fixture.PassPauseAsync(), TimeSpan.FromSeconds(0.8), TimeSpan.FromSeconds(1.2));
        (await fixture.NextAsync()).Watch(ApiText.Modified(ApiText.Service("web", 9, "10.96.0.12")));

        await fixture.ServicesAreAsync("web=10.96.0.12");
        Assert.Empty(fixture.Logger.Warnings);
        Assert.Empty(fixture.Problems.Current);
    }

    [Fact]
    public async Task S164_missing_right_names_the_rule_once_and_converges_when_it_is_given()
    {
        await using var fixture = new ReflectorFixture(ApiResource.EndpointSlices);
        for (int i = 0; i < 8; i++)
        {
            (await fixture.NextAfterPausesAsync()).Refuse(
                403, "Forbidden", "endpointslices.discovery.k8s.io is forbidden: User system:x cannot watch\\u001b[31m");
        }

        var next = await fixture.NextAfterPausesAsync();
        Assert.False(fixture.Writer.Take().IsListed);
        string warning = Assert.Single(fixture.Logger.Warnings);
        Assert.Contains("endpointslices.discovery.k8s.io", warning, StringComparison.Ordinal);
        Assert.Contains("apiGroups: [\"discovery.k8s.io\"], resources: [\"endpointslices\"], verbs: [\"list\", \"watch\"]", warning,
            StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', warning);
        Assert.Contains("403", Assert.Single(fixture.Problems.Current).Message, StringComparison.Ordinal);

        next.Watch(ApiText.Added(ApiText.Slice("web-1", "web", 5, "10.244.1.1")), ApiText.Bookmark(7, isEnd: true));
        await ReflectorFixture.UntilAsync(() => fixture.Problems.Current.Count == 0 && fixture.Writer.Take().IsComplete);
    }

    [Fact]
    public async Task S164_right_that_is_taken_away_removes_nothing()
    {
        await using var fixture = new ReflectorFixture();
        (await fixture.ListAsync(7, ApiText.Service("web", 5))).End();
        for (int i = 0; i < 5; i++)
            (await fixture.NextAfterPausesAsync()).Refuse(403, "Forbidden");
        await fixture.NextAfterPausesAsync();

        Assert.Equal("web=10.96.0.10", fixture.Services());
        Assert.True(fixture.Writer.IsComplete);
    }

    [Theory]
    [InlineData(403, 1)]
    [InlineData(404, 0)]
    public async Task Service_cidrs_that_cannot_be_had_hold_up_nothing_and_only_those_the_server_does_not_have_are_none(
        int code, int problems)
    {
        await using var fixture = new ReflectorFixture(ApiResource.ServiceCidrs);
        (await fixture.NextAsync()).Refuse(code, "");
        if (code == 404)
            await fixture.Clock.PassAsync(time => time >= new ReflectorOptions().AbsentRetry);
        var next = await fixture.NextAfterPausesAsync();

        var delta = fixture.Writer.Take();
        Assert.True(delta.IsComplete);
        Assert.Equal(code == 403, delta.State.ServiceCidrsArePartial);
        Assert.Equal(problems, fixture.Problems.Current.Count);
        Assert.Equal(1 - problems, fixture.Logger.CountOf(Absent));

        next.Watch(ApiText.Added(ApiText.Cidr("kubernetes", 5, "10.96.0.0/12")), ApiText.Bookmark(7, isEnd: true));
        await ReflectorFixture.UntilAsync(() => fixture.State.ServiceCidrs.Count == 1 && fixture.Problems.Current.Count == 0);
        Assert.False(fixture.State.ServiceCidrsArePartial);
    }

    [Theory]
    [InlineData(403)]
    [InlineData(404)]
    public async Task S161_node_that_cannot_be_had_is_served_without_and_nothing_is_concluded(int code)
    {
        await using var fixture = new ReflectorFixture(ApiResource.Node("node-1"));
        (await fixture.NextAsync()).Refuse(code, "");
        var next = await fixture.NextAfterPausesAsync();

        var delta = fixture.Writer.Take();
        Assert.True(delta.IsListed);
        Assert.False(delta.IsComplete);
        Assert.Single(fixture.Problems.Current);

        next.Watch(ApiText.Added(ApiText.Node("node-1", 5, "a")), ApiText.Bookmark(7, isEnd: true));
        await ReflectorFixture.UntilAsync(() => fixture.Writer.IsComplete);
        Assert.Equal("a", fixture.State.Node?.Zone);
    }

    [Fact]
    public async Task S161_node_that_is_not_listed_in_time_is_not_waited_for()
    {
        await using var fixture = new ReflectorFixture(ApiResource.Node("node-1"));
        await fixture.NextAsync();
        fixture.Outage.Answered();
        Assert.False(fixture.Writer.Take().IsListed);
        fixture.Clock.Advance(TimeSpan.FromSeconds(29));
        Assert.False(fixture.Writer.Take().IsListed);
        fixture.Clock.Advance(TimeSpan.FromSeconds(1));
        await ReflectorFixture.UntilAsync(() => fixture.Writer.Take().IsListed);
        Assert.False(fixture.Writer.IsComplete);
        Assert.Contains(fixture.Logger.Warnings, text => text.StartsWith("nodes: not listed after 30 s", StringComparison.Ordinal));
    }

    [Fact]
    public async Task S145_node_is_waited_for_as_long_as_nothing_comes_from_the_server()
    {
        await using var fixture = new ReflectorFixture(ApiResource.Node("node-1"));
        await fixture.NextAsync();
        fixture.Clock.Advance(TimeSpan.FromSeconds(30));
        fixture.Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.False(fixture.Writer.Take().IsListed);
        Assert.Empty(fixture.Logger.Warnings);

        fixture.Outage.Answered();
        fixture.Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.True(fixture.Writer.Take().IsListed);
    }

    [Fact]
    public async Task Connection_that_the_transport_ends_under_a_watch_is_made_anew()
    {
        await using var fixture = new ReflectorFixture();
        (await fixture.NextAsync()).Fail(new ObjectDisposedException("NetworkStream"));
        await fixture.PassPauseAsync();
        await fixture.ListAsync(7, ApiText.Service("web", 5));
    }

    [Fact]
    public async Task Bytes_that_are_there_whenever_they_are_read_are_no_stall()
    {
        var clock = new ApiClock();
        using var stall = new StallTimer(clock, TimeSpan.FromSeconds(30), default);
        using var stream = new StallGuardedStream(new MemoryStream(new byte[10]), stall);
        byte[] buffer = new byte[1];
        for (int i = 0; i < 10; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(20));
            Assert.Equal(1, await stream.ReadAsync(buffer, stall.Token));
        }

        Assert.False(stall.Token.IsCancellationRequested);
        clock.Advance(TimeSpan.FromSeconds(30));
        Assert.True(stall.Token.IsCancellationRequested);
    }

    [Fact]
    public async Task S161_node_that_is_missing_comes_changes_and_goes()
    {
        await using var fixture = new ReflectorFixture(ApiResource.Node("node-1"));
        var watch = await fixture.ListAsync(7);
        Assert.Null(fixture.State.Node);

        watch.Send(ApiText.Added(ApiText.Node("node-1", 8)), ApiText.Added(ApiText.Node("node-2", 9, "b")));
        await ReflectorFixture.UntilAsync(() => fixture.State.Node is { Name: "node-1", Zone: null });
        watch.Send(ApiText.Modified(ApiText.Node("node-1", 10, "a")));
        await ReflectorFixture.UntilAsync(() => fixture.State.Node?.Zone == "a");
        watch.Send(ApiText.Deleted(ApiText.Node("node-1", 11, "a")));
        await ReflectorFixture.UntilAsync(() => fixture.State.Node is null);
    }
}
