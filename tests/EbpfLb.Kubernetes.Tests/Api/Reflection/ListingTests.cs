// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Api;
using EbpfLb.Kubernetes.Api.Reflection;
using EbpfLb.Kubernetes.Tests.Api.Support;
using EbpfLb.Kubernetes.Tests.Api.Wire;
using Google.Protobuf;
using Messages = EbpfLb.Kubernetes.Api.Wire.Messages;

namespace EbpfLb.Kubernetes.Tests.Api.Reflection;

public sealed class ListingTests
{
    private const int NoStreamedLists = 2105;

    [Fact]
    public async Task List_is_asked_for_as_a_stream_that_goes_on_as_the_watch()
    {
        await using var fixture = new ReflectorFixture();
        var request = await fixture.NextAsync();
        Assert.Equal("/api/v1/services", request.Path);
        Assert.True(request.IsStreamedList);
        Assert.Equal("!service.kubernetes.io/service-proxy-name", request["labelSelector"]);
        Assert.Equal("spec.clusterIP!=None", request["fieldSelector"]);
        Assert.StartsWith("application/vnd.kubernetes.protobuf;stream=watch", request.Accept, StringComparison.Ordinal);
        Assert.InRange(int.Parse(request["timeoutSeconds"]!), 300, 600);

        var watch = request.Watch(ApiText.Added(ApiText.Service("web", 5)));
        Assert.False(fixture.Writer.IsComplete);
        watch.Send(ApiText.Bookmark(7, isEnd: true));
        await ReflectorFixture.UntilAsync(() => fixture.Writer.IsComplete);
        Assert.Equal("web=10.96.0.10", fixture.Services());

        watch.Send(ApiText.Added(ApiText.Service("dns", 8, "10.96.0.11")));
        await fixture.ServicesAreAsync("dns=10.96.0.11 web=10.96.0.10");
        Assert.Single(fixture.Server.Log);
        Assert.Equal(new ApiResourceStatus("services", true, true, 2, fixture.Clock.GetUtcNow()), fixture.Status);
    }

    [Theory]
    [InlineData("nodes", "metadata.name=node-1", null)]
    [InlineData("endpointslices.discovery.k8s.io", null, "!service.kubernetes.io/headless")]
    [InlineData("servicecidrs.networking.k8s.io", null, null)]
    public async Task Each_resource_is_asked_for_with_its_selectors(string name, string? fields, string? labels)
    {
        ApiResource[] all = [ApiResource.Node("node-1"), ApiResource.EndpointSlices, ApiResource.ServiceCidrs];
        await using var fixture = new ReflectorFixture(all.Single(resource => resource.Name == name));
        var request = await fixture.NextAsync();

        Assert.Equal(fields, request["fieldSelector"]);
        Assert.Equal(labels, request["labelSelector"]);
    }

    [Theory]
    [InlineData(400, "BadRequest")]
    [InlineData(422, "Invalid")]
    public async Task S148_stream_refused_by_status_falls_back_to_pages(int code, string reason)
    {
        await using var fixture = new ReflectorFixture();
        (await fixture.NextAsync()).Refuse(code, reason, "sendInitialEvents is forbidden for watch");

        await ListInPagesAsync(fixture);
        Assert.Equal(1, fixture.Logger.CountOf(NoStreamedLists));
        Assert.Empty(fixture.Logger.Warnings);
    }

    [Theory]
    [InlineData(500, "InternalError")]
    [InlineData(422, "Invalid")]
    public async Task S148_stream_refused_within_itself_falls_back_to_pages(int code, string reason)
    {
        await using var fixture = new ReflectorFixture();
        (await fixture.NextAsync()).Watch(ApiText.Error(code, reason, "etcd does not support requesting progress"));

        await ListInPagesAsync(fixture);
        Assert.Equal(1, fixture.Logger.CountOf(NoStreamedLists));
        Assert.Empty(fixture.Problems.Current);
    }

    [Fact]
    public async Task S148_second_stream_that_ends_before_it_told_all_falls_back_to_pages()
    {
        await using var fixture = new ReflectorFixture();
        for (int i = 0; i < 2; i++)
        {
            (await fixture.NextAsync()).Watch(ApiText.Added(ApiText.Service("web", 5))).End();
            await fixture.PassPauseAsync();
        }

        await ListInPagesAsync(fixture);
    }

    [Fact]
    public async Task S148_streams_that_never_tell_their_end_fall_back_to_pages()
    {
        // As servers do that know nothing of sendInitialEvents and let it pass.
        await using var fixture = new ReflectorFixture();
        for (int i = 0; i < 2; i++)
        {
            (await fixture.NextAsync()).Watch(ApiText.Added(ApiText.Service("web", 5)));
            await ReflectorFixture.UntilAsync(() => fixture.Status.LastContact == fixture.Clock.GetUtcNow());
            await fixture.Clock.PassAsync(time => time == new ReflectorOptions().AnswerLimit);
            await fixture.PassPauseAsync();
        }

        await ListInPagesAsync(fixture);
    }

    [Fact]
    public async Task S148_streams_are_tried_again_after_an_hour()
    {
        await using var fixture = new ReflectorFixture();
        (await fixture.NextAsync()).Refuse(422, "Invalid");
        var watch = await ListInPagesAsync(fixture);

        fixture.Clock.Advance(TimeSpan.FromHours(1));
        watch.Send(ApiText.Error(410, "Expired", "too old resource version"));
        var request = await fixture.NextAfterPausesAsync();
        while (!request.IsStreamedList)
        {
            // The hour was silent, so that the watch may have been cut before it could say so.
            request.Refuse(410, "Expired");
            request = await fixture.NextAfterPausesAsync();
        }

        request.Watch(ApiText.Bookmark(99, isEnd: true));
        await fixture.ServicesAreAsync("");
    }

    [Fact]
    public async Task S162_pages_are_one_list()
    {
        await using var fixture = new ReflectorFixture(options: new ReflectorOptions { PageSize = 2 });
        (await fixture.NextAsync()).Refuse(422, "Invalid");
        for (int page = 0; page < 10; page++)
        {
            var request = await fixture.NextAsync();
            Assert.False(request.IsWatch);
            Assert.Equal("2", request["limit"]);
            Assert.Null(request["resourceVersion"]);
            Assert.Equal(page == 0 ? null : $"after+{page}/=", request["continue"]);
            Assert.False(fixture.Writer.IsComplete);
            request.List(ApiText.List("Service", 100, page == 9 ? null : $"after+{page + 1}/=",
                ApiText.Service($"a{page}", 1, $"10.96.1.{page}"), ApiText.Service($"b{page}", 2, $"10.96.2.{page}")));
        }

        var watch = await fixture.NextAsync();
        Assert.Equal("100", watch["resourceVersion"]);
        Assert.True(fixture.Writer.IsComplete);
        Assert.Equal(20, fixture.State.ServiceCount);

        // Pages wait for nothing.
        Assert.Equal(fixture.Server.Log.First().At, watch.At);
    }

    [Fact]
    public async Task S162_expired_continue_token_restarts_the_list_in_one_piece()
    {
        await using var fixture = new ReflectorFixture();
        (await fixture.NextAsync()).Refuse(422, "Invalid");
        (await fixture.NextAsync()).List(ApiText.List("Service", 100, "next", ApiText.Service("gone", 5), ApiText.Service("web", 6)));
        (await fixture.NextAsync()).Refuse(410, "Expired", "the provided continue parameter is too old");

        var whole = await fixture.NextAsync();
        Assert.False(whole.IsWatch);
        Assert.Null(whole["limit"]);
        Assert.Null(whole["continue"]);
        Assert.False(fixture.Writer.IsComplete);
        whole.List(ApiText.List("Service", 120, null, ApiText.Service("web", 6), ApiText.Service("dns", 110, "10.96.0.11")));

        Assert.Equal("120", (await fixture.NextAsync())["resourceVersion"]);
        Assert.Equal("dns=10.96.0.11 web=10.96.0.10", fixture.Services());
    }

    [Fact]
    public async Task Pages_that_lead_nowhere_are_a_failure_and_not_a_list()
    {
        await using var fixture = new ReflectorFixture();
        (await fixture.NextAsync()).Refuse(422, "Invalid");
        (await fixture.NextAsync()).List(ApiText.List("Service", 100, "same", ApiText.Service("web", 6)));
        (await fixture.NextAsync()).List(ApiText.List("Service", 100, "same"));
        await fixture.PassPauseAsync();

        Assert.Null((await fixture.NextAsync())["continue"]);
        Assert.False(fixture.Writer.IsComplete);
        Assert.Contains("where it was continued before", Assert.Single(fixture.Problems.Current).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<html>", "text/html")]
    [InlineData("{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]}", "application/json")]
    [InlineData("{\"kind\":\"ServiceList\",\"apiVersion\":\"v1\",\"metadata\":{},\"items\":[]}", "application/json")]
    public async Task Body_that_is_no_list_lists_nothing(string body, string contentType)
    {
        await using var fixture = new ReflectorFixture();
        (await fixture.NextAsync()).Refuse(422, "Invalid");
        (await fixture.NextAsync()).List(body, contentType);
        await fixture.PassPauseAsync();
        await fixture.NextAsync();

        Assert.False(fixture.Writer.IsComplete);
        Assert.Single(fixture.Problems.Current);
    }

    [Fact]
    public async Task Object_that_cannot_be_read_lets_nothing_be_removed_for_not_being_listed()
    {
        await using var fixture = new ReflectorFixture();
        var watch = await fixture.ListAsync(7, ApiText.Service("web", 5), ApiText.Service("dns", 6, "10.96.0.11"));
        watch.Send(ApiText.Error(410, "Expired", "too old resource version"));
        var again = (await fixture.NextAsync()).Watch(
            ApiText.Added("17"), ApiText.Added(ApiText.Service("web", 9, "10.96.0.12")), ApiText.Bookmark(9, isEnd: true));

        await fixture.ServicesAreAsync("dns=10.96.0.11 web=10.96.0.12");
        Assert.StartsWith("Service that cannot be read", Assert.Single(fixture.Problems.Current).Subject, StringComparison.Ordinal);

        again.Send(ApiText.Error(410, "Expired", "too old resource version"));
        await fixture.PassPauseAsync();
        (await fixture.NextAsync()).Watch(ApiText.Added(ApiText.Service("web", 9, "10.96.0.12")), ApiText.Bookmark(9, isEnd: true));
        await fixture.ServicesAreAsync("web=10.96.0.12");
        await ReflectorFixture.UntilAsync(() => fixture.Problems.Current.Count == 0);
    }

    [Theory]
    [InlineData("web-1", "api=10.96.0.13 web=10.96.0.10")]
    [InlineData("web-2", "api=10.96.0.13")]
    public async Task S155_object_that_cannot_be_read_keeps_its_last_version_and_holds_back_nothing_else(string uid, string expected)
    {
        await using var fixture = new ReflectorFixture();
        var watch = await fixture.ListAsync(7, ApiText.Service("web", 5), ApiText.Service("dns", 6, "10.96.0.11"));
        watch.Send(ApiText.Error(410, "Expired", "too old resource version"));
        (await fixture.NextAsync()).Refuse(422, "Invalid");
        (await fixture.NextAsync()).List(
            Wires.ServiceList(Service("api", "api-1", "10.96.0.13"), [.. Service("web", uid, "10.96.0.12"), 0x12, 0x7f]),
            Recordings.Protobuf);

        var next = (await fixture.NextAsync()).Watch();
        await fixture.ServicesAreAsync(expected);
        var problem = Assert.Single(fixture.Problems.Current);
        Assert.Equal("Service default/web", problem.Subject);
        Assert.Equal(
            "cannot be read: field 2 has 127 bytes, and its message has 0 left; its last good version stays in force", problem.Message);
        Assert.Equal(2, fixture.Status.Objects);

        next.Send(ApiText.Modified(ApiText.Service("web", 10, "10.96.0.14", uid)));
        await fixture.ServicesAreAsync("api=10.96.0.13 web=10.96.0.14");
        await ReflectorFixture.UntilAsync(() => fixture.Problems.Current.Count == 0);
    }

    [Fact]
    public async Task S155_object_of_which_some_fields_cannot_be_read_is_served_without_them_and_lists_like_any_other()
    {
        await using var fixture = new ReflectorFixture();
        await fixture.ListAsync(7, ApiText.Service("web", 5, spec: ",\"sessionAffinity\":5"));

        Assert.Equal("web=10.96.0.10", fixture.Services());
        Assert.Equal("Service default/web", Assert.Single(fixture.Problems.Current).Subject);
    }

    private static byte[] Service(string name, string uid, string address) => new Messages.Service
    {
        Metadata = new Messages.ObjectMeta { Name = name, Namespace = "default", Uid = uid, ResourceVersion = "9" },
        Spec = new Messages.ServiceSpec { ClusterIp = address, Ports = { new Messages.ServicePort { Port = 80 } } },
    }.ToByteArray();

    private static async Task<ScriptedWatch> ListInPagesAsync(ReflectorFixture fixture)
    {
        var list = await fixture.NextAsync();
        Assert.False(list.IsWatch);
        Assert.Equal("500", list["limit"]);
        Assert.StartsWith("application/vnd.kubernetes.protobuf", list.Accept, StringComparison.Ordinal);
        Assert.False(fixture.Writer.IsComplete);
        list.List(ApiText.List("Service", 7, null, ApiText.Service("web", 5)));

        var watch = await fixture.NextAsync();
        Assert.False(watch.IsStreamedList);
        Assert.Equal("7", watch["resourceVersion"]);
        Assert.Equal("true", watch["allowWatchBookmarks"]);
        Assert.Equal("web=10.96.0.10", fixture.Services());
        Assert.True(fixture.Writer.IsComplete);
        return watch.Watch();
    }
}
