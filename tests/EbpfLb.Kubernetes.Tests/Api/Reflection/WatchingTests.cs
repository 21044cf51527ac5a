// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using EbpfLb.Kubernetes.Api.Reflection;
using EbpfLb.Kubernetes.Tests.Api.Support;

namespace EbpfLb.Kubernetes.Tests.Api.Reflection;

public sealed class WatchingTests
{
    private const int Lost = 2101;

    private const int WatchCut = 2103;

    [Fact]
    public async Task Watch_goes_on_from_the_last_version_bookmarks_counted()
    {
        await using var fixture = new ReflectorFixture();
        var watch = await fixture.ListAsync(7, ApiText.Service("web", 5));
        watch.Send(ApiText.Modified(ApiText.Service("web", 9, "10.96.0.12")), ApiText.Bookmark(20));
        watch.End();

        var next = await fixture.NextAsync();
        Assert.Equal("20", next["resourceVersion"]);
        Assert.Equal(next.At, fixture.Server.Log.First().At);
        Assert.Equal("web=10.96.0.12", fixture.Services());
        Assert.Equal(0, fixture.Logger.CountOf(WatchCut));
        Assert.True(fixture.Status.Connected);
    }

    [Fact]
    public async Task Events_that_came_together_become_visible_together()
    {
        await using var fixture = new ReflectorFixture();
        var watch = await fixture.ListAsync(7);
        _ = fixture.State;
        int queued = 0;
        fixture.Writer.Queued = () => queued++;
        watch.Send([.. Enumerable.Range(10, 50).Select(i => ApiText.Added(ApiText.Service($"s{i}", i)))]);

        await ReflectorFixture.UntilAsync(() => fixture.Writer.Pending.Services > 0);
        Assert.Equal(50, fixture.Writer.Pending.Services);
        Assert.Equal(1, queued);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task S147_version_that_is_too_old_lists_anew_and_drops_nothing_before(bool inStream)
    {
        await using var fixture = new ReflectorFixture();
        var watch = await fixture.ListAsync(7, ApiText.Service("web", 5), ApiText.Service("dns", 6, "10.96.0.11"));
        if (inStream)
        {
            watch.Send(ApiText.Error(410, "Expired", "too old resource version: 7 (1000)"));
        }
        else
        {
            watch.Send(ApiText.Bookmark(8));
            watch.End();
            (await fixture.NextAsync()).Refuse(410, "Expired", "too old resource version: 8 (1000)");
        }

        var list = await fixture.NextAsync();
        Assert.True(list.IsStreamedList);
        Assert.Equal(list.At, fixture.Server.Log.First().At);
        Assert.True(fixture.Writer.IsComplete);
        var again = list.Watch(ApiText.Added(ApiText.Service("web", 5)), ApiText.Added(ApiText.Service("api", 900, "10.96.0.13")));
        await fixture.ServicesAreAsync("api=10.96.0.13 dns=10.96.0.11 web=10.96.0.10");
        again.Send(ApiText.Bookmark(1001, isEnd: true));
        await fixture.ServicesAreAsync("api=10.96.0.13 web=10.96.0.10");

        // Web is as it was: whoever follows the state has nothing to do for it.
        Assert.Empty(fixture.Logger.Warnings);
        Assert.Empty(fixture.Problems.Current);
    }

    [Fact]
    public async Task S147_list_that_is_cut_removes_nothing()
    {
        await using var fixture = new ReflectorFixture();
        var watch = await fixture.ListAsync(7, ApiText.Service("web", 5), ApiText.Service("dns", 6, "10.96.0.11"));
        watch.Send(ApiText.Error(410, "Expired", "too old resource version"));
        var half = (await fixture.NextAsync()).Watch(ApiText.Added(ApiText.Service("web", 8, "10.96.0.12")));
        await fixture.ServicesAreAsync("dns=10.96.0.11 web=10.96.0.12");
        half.Break();
        await fixture.PassPauseAsync();

        Assert.True((await fixture.NextAsync()).IsStreamedList);
        Assert.Equal("dns=10.96.0.11 web=10.96.0.12", fixture.Services());
    }

    [Fact]
    public async Task S147_server_whose_versions_are_always_too_old_is_asked_less_and_less()
    {
        await using var fixture = new ReflectorFixture();
        var start = fixture.Clock.GetUtcNow();
        var watch = await fixture.ListAsync(7, ApiText.Service("web", 5));
        for (int i = 0; i < 20; i++)
        {
            watch.Send(ApiText.Error(410, "Expired", "too old resource version"));
            if (i > 0)
                await fixture.PassPauseAsync();
            watch = (await fixture.NextAsync()).Watch(ApiText.Added(ApiText.Service("web", 5)), ApiText.Bookmark(7, isEnd: true));
        }

        Assert.True(fixture.Clock.GetUtcNow() - start > TimeSpan.FromSeconds(200));
        Assert.Equal("web=10.96.0.10", fixture.Services());
    }

    [Fact]
    public async Task S149_end_after_each_event_loses_nothing_and_is_no_tight_loop()
    {
        await using var fixture = new ReflectorFixture();
        (await fixture.ListAsync(7)).End();
        for (int i = 8; i < 68; i++)
        {
            var request = await fixture.NextAfterPausesAsync();
            Assert.Equal($"{i - 1}", request["resourceVersion"]);
            request.Watch(ApiText.Added(ApiText.Service($"s{i}", i))).End();
        }

        await fixture.NextAfterPausesAsync();
        Assert.Equal(60, fixture.State.ServiceCount);
        AssertPaced(fixture);
        Assert.Empty(fixture.Logger.Warnings);
    }

    [Fact]
    public async Task S149_watch_that_ends_at_once_is_asked_for_less_and_less()
    {
        await using var fixture = new ReflectorFixture();
        (await fixture.ListAsync(7)).End();
        var start = fixture.Clock.GetUtcNow();
        for (int i = 0; i < 12; i++)
            (await fixture.NextAfterPausesAsync()).Watch().End();

        await fixture.NextAfterPausesAsync();
        Assert.InRange(fixture.Clock.GetUtcNow() - start, TimeSpan.FromSeconds(120), TimeSpan.FromSeconds(360));
        Assert.Contains("as soon as it begins", Assert.Single(fixture.Logger.Warnings), StringComparison.Ordinal);
        Assert.Equal("services", Assert.Single(fixture.Problems.Current).Subject);
    }

    [Fact]
    public async Task S149_reset_within_an_event_is_gone_on_from_the_one_before()
    {
        await using var fixture = new ReflectorFixture();
        var watch = await fixture.ListAsync(7);
        string cut = ApiText.Added(ApiText.Service("dns", 9, "10.96.0.11"));
        watch.Send(ApiText.Added(ApiText.Service("web", 8)), cut[..(cut.Length / 2)]);
        await fixture.ServicesAreAsync("web=10.96.0.10");
        watch.Break();
        var pause = await fixture.PassPauseAsync();
        Assert.InRange(pause, TimeSpan.FromSeconds(0.8), TimeSpan.FromSeconds(1.2));

        var next = await fixture.NextAsync();
        Assert.Equal("8", next["resourceVersion"]);
        next.Watch(cut);
        await fixture.ServicesAreAsync("dns=10.96.0.11 web=10.96.0.10");
        Assert.Equal(1, fixture.Logger.CountOf(WatchCut));
        Assert.Empty(fixture.Logger.Warnings);
    }

    [Fact]
    public async Task S149_bytes_that_trickle_empty_lines_and_split_characters_are_read()
    {
        await using var fixture = new ReflectorFixture();
        var watch = await fixture.ListAsync(7);
        watch.Send("\n\n");
        string item = ApiText.Service("web", 8, spec: ",\"note\":\"\u00fc\u20ac\ud83d\ude00\"");
        foreach (byte one in Encoding.UTF8.GetBytes(ApiText.Added(item)))
            watch.Send([one]);

        await fixture.ServicesAreAsync("web=10.96.0.10");
        Assert.Single(fixture.Server.Log);
    }

    [Fact]
    public async Task S149_bytes_that_are_no_watch_end_it()
    {
        await using var fixture = new ReflectorFixture();
        var watch = await fixture.ListAsync(7, ApiText.Service("web", 5));
        watch.Send("HTTP/1.1 502 Bad Gateway\n");
        await fixture.PassPauseAsync();

        Assert.Equal("7", (await fixture.NextAsync())["resourceVersion"]);
        Assert.Equal("web=10.96.0.10", fixture.Services());
    }

    [Fact]
    public async Task S150_watch_that_falls_silent_is_cut_and_gone_on_with()
    {
        var options = new ReflectorOptions { SilenceLimit = TimeSpan.FromMinutes(3) };
        await using var fixture = new ReflectorFixture(options: options);
        var watch = await fixture.ListAsync(7, ApiText.Service("web", 5));
        watch.Send(ApiText.Bookmark(8));
        await fixture.Clock.PassAsync(time => time == options.SilenceLimit);
        await fixture.PassPauseAsync();

        var next = await fixture.NextAsync();
        Assert.Equal("8", next["resourceVersion"]);
        Assert.Equal("web=10.96.0.10", fixture.Services());
        Assert.True(fixture.Writer.IsComplete);
    }

    [Fact]
    public async Task S150_watch_without_bookmarks_is_cut_only_after_the_server_should_have_ended_it()
    {
        await using var fixture = new ReflectorFixture();
        await fixture.ListAsync(7);
        int seconds = int.Parse(fixture.Server.Log.First()["timeoutSeconds"]!);
        await fixture.Clock.PassAsync(time => time >= TimeSpan.FromSeconds(seconds));
        await fixture.PassPauseAsync();

        Assert.Equal("7", (await fixture.NextAsync())["resourceVersion"]);
        Assert.True(fixture.Clock.GetUtcNow() - fixture.Server.Log.First().At > TimeSpan.FromSeconds(seconds));
    }

    [Fact]
    public async Task Watch_of_a_version_that_the_server_does_not_reach_lists_anew()
    {
        await using var fixture = new ReflectorFixture();
        var watch = await fixture.ListAsync(7000, ApiText.Service("web", 6000));
        watch.End();
        (await fixture.NextAfterPausesAsync()).Watch().End();
        (await fixture.NextAfterPausesAsync()).Refuse(504, "Timeout", "Too large resource version: 7000, current: 20");

        // As after an etcd was restored: older versions are the truth now.
        (await fixture.NextAfterPausesAsync()).Watch(
            ApiText.Added(ApiText.Service("web", 15, "10.96.0.12")), ApiText.Bookmark(20, isEnd: true));
        await fixture.ServicesAreAsync("web=10.96.0.12");
    }

    [Fact]
    public async Task Trouble_is_told_once_and_over_once_a_quiet_watch_stays_open()
    {
        await using var fixture = new ReflectorFixture();
        var watch = await fixture.ListAsync(7);
        watch.Break();
        for (int i = 0; i < 5; i++)
            (await fixture.NextAfterPausesAsync()).Fail(new HttpRequestException("connection refused (192.0.2.1:6443)"));

        var problem = Assert.Single(fixture.Problems.Current);
        Assert.Equal("services", problem.Subject);
        Assert.Equal("not followed since 2026-01-31 12:00:00Z: connection refused (192.0.2.1:6443)",
            problem.Message.Replace(problem.Message[19..39], "2026-01-31 12:00:00Z", StringComparison.Ordinal));
        Assert.False(fixture.Status.Connected);
        Assert.Single(fixture.Logger.Warnings);

        (await fixture.NextAfterPausesAsync()).Watch();
        await fixture.Clock.PassAsync(time => time == new ReflectorOptions().HealthyAfter);
        await ReflectorFixture.UntilAsync(() => fixture.Problems.Current.Count == 0 && fixture.Status.Connected);
        Assert.Equal(1, fixture.Logger.CountOf(Lost));
    }

    /// <summary>Beyond a handful at the start, no more requests than seconds passed.</summary>
    internal static void AssertPaced(ReflectorFixture fixture)
    {
        var log = fixture.Server.Log.ToArray();
        for (int i = 0; i < log.Length; i++)
            Assert.True(i <= 6 + (log[i].At - log[0].At).TotalSeconds, $"request {i} after {log[i].At - log[0].At}");
    }
}
