// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Api;
using EbpfLb.Kubernetes.Tests.Api.Support;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Tests.Api.Reflection;

public sealed class ObjectOrderTests
{
    [Theory]
    [InlineData("duplicate", "A1 A1")]
    [InlineData("MODIFIED before ADDED", "M1")]
    [InlineData("older after newer", "A2 M1")]
    [InlineData("DELETED of unknown", "D9:other A1")]
    [InlineData("late after DELETED", "A1:other D3:other M2:other A1")]
    [InlineData("late ADDED after its DELETED", "D3:other A1:other A1")]
    [InlineData("DELETED as it was long before", "A1:other M3:other D1:other M2:other M3:other A1")]
    public async Task S152_events_out_of_order_are_as_if_in_order(string what, string events)
    {
        Assert.NotEmpty(what);
        await using var fixture = new ReflectorFixture();
        var watch = await fixture.ListAsync(7);
        string newest = events.Contains("A2", StringComparison.Ordinal) ? "10.96.1.2" : "10.96.1.1";
        foreach (string told in events.Split(' '))
        {
            int version = told[1] - '0';
            string name = told.Contains(':', StringComparison.Ordinal) ? "other" : "web";
            string item = ApiText.Service(name, 100 + version, $"10.96.1.{version}");
            watch.Send(told[0] switch
            {
                'A' => ApiText.Added(item),
                'M' => ApiText.Modified(item),
                _ => ApiText.Deleted(item),
            });
        }

        watch.Send("{\"type\":\"BOOKMARK\"}\n");
        watch.Send(ApiText.Added(ApiText.Service("zz-last", 200, "10.96.9.9")));
        await fixture.ServicesAreAsync($"web={newest} zz-last=10.96.9.9");
        Assert.Single(fixture.Server.Log);
    }

    [Fact]
    public async Task S152_older_event_does_not_set_the_place_to_go_on_from_back()
    {
        await using var fixture = new ReflectorFixture();
        var watch = await fixture.ListAsync(7);
        watch.Send(ApiText.Added(ApiText.Service("web", 30)), ApiText.Modified(ApiText.Service("web", 20, "10.96.0.12")));
        watch.End();

        Assert.Equal("30", (await fixture.NextAsync())["resourceVersion"]);
        Assert.Equal("web=10.96.0.10", fixture.Services());
    }

    [Fact]
    public async Task S153_deleted_and_created_anew_in_one_batch_is_another_object()
    {
        await using var fixture = new ReflectorFixture();
        var watch = await fixture.ListAsync(7, ApiText.Service("web", 5));
        _ = fixture.State;
        watch.Send(ApiText.Deleted(ApiText.Service("web", 8)),
            ApiText.Added(ApiText.Service("web", 9, "10.96.0.12", uid: "web-2")),
            ApiText.Modified(ApiText.Service("web", 6, "10.96.0.13")));
        await fixture.ServicesAreAsync("web=10.96.0.12");
        Assert.Equal("web-2", fixture.State.FindService(new ObjectName("default", "web"))!.Uid);

        // The word of the first one's end comes late.
        watch.Send(ApiText.Deleted(ApiText.Service("web", 8)), ApiText.Added(ApiText.Service("zz", 10)));
        await fixture.ServicesAreAsync("web=10.96.0.12 zz=10.96.0.10");
    }

    [Fact]
    public async Task S153_created_and_deleted_in_one_batch_never_was()
    {
        await using var fixture = new ReflectorFixture();
        var watch = await fixture.ListAsync(7);
        watch.Send(ApiText.Added(ApiText.Service("web", 8)), ApiText.Deleted(ApiText.Service("web", 9)),
            ApiText.Added(ApiText.Service("zz", 10)));
        await fixture.ServicesAreAsync("zz=10.96.0.10");
        Assert.Equal(2, fixture.Status.Objects + 1);
    }

    [Fact]
    public async Task S25_object_whose_labels_leave_the_selection_and_come_back_is_served_again()
    {
        await using var fixture = new ReflectorFixture();
        var watch = await fixture.ListAsync(7, ApiText.Service("web", 5));
        watch.Send(ApiText.Deleted(ApiText.Service("web", 8)));
        await fixture.ServicesAreAsync("");
        watch.Send(ApiText.Added(ApiText.Service("web", 9, "10.96.0.12")));
        await fixture.ServicesAreAsync("web=10.96.0.12");
    }

    [Fact]
    public async Task Object_that_is_no_longer_served_is_removed()
    {
        await using var fixture = new ReflectorFixture();
        var watch = await fixture.ListAsync(7, ApiText.Service("web", 5));
        watch.Send(ApiText.Modified(ApiText.Service("web", 8, "None")));
        await fixture.ServicesAreAsync("");
        watch.Send(ApiText.Modified(ApiText.Service("web", 9)));
        await fixture.ServicesAreAsync("web=10.96.0.10");
        Assert.Empty(fixture.Problems.Current);
    }

    [Fact]
    public async Task Problem_of_an_object_is_told_once_and_gone_when_it_is_right()
    {
        await using var fixture = new ReflectorFixture();
        string wrong = ",\"externalIPs\":[\"10.0.0.1/32\",\"203.0.113.7\"]";
        var watch = await fixture.ListAsync(7, ApiText.Service("web", 5, spec: wrong));
        watch.Send(ApiText.Modified(ApiText.Service("web", 8, "10.96.0.12", spec: wrong)));
        await fixture.ServicesAreAsync("web=10.96.0.12");
        Assert.Equal([new ApiProblem("Service default/web", "spec.externalIPs[0]: '10.0.0.1/32' is not an IP address")],
            fixture.Problems.Current);
        Assert.Equal(["Service default/web: spec.externalIPs[0]: '10.0.0.1/32' is not an IP address"], fixture.Logger.Warnings);

        watch.Send(ApiText.Modified(ApiText.Service("web", 9)));
        await ReflectorFixture.UntilAsync(() => fixture.Problems.Current.Count == 0);
        watch.Send(ApiText.Modified(ApiText.Service("web", 10, spec: wrong)));
        await ReflectorFixture.UntilAsync(() => fixture.Problems.Current.Count == 1);
        watch.Send(ApiText.Deleted(ApiText.Service("web", 11, spec: wrong)));
        await ReflectorFixture.UntilAsync(() => fixture.Problems.Current.Count == 0);
        Assert.Equal(2, fixture.Logger.Warnings.Count);
    }

    [Fact]
    public async Task Field_of_the_wrong_type_is_a_problem_and_the_rest_is_served()
    {
        await using var fixture = new ReflectorFixture();
        var watch = await fixture.ListAsync(7);
        watch.Send(ApiText.Added(ApiText.Service("web", 8, spec: ",\"externalTrafficPolicy\":7")));
        await fixture.ServicesAreAsync("web=10.96.0.10");

        Assert.StartsWith("spec.externalTrafficPolicy", Assert.Single(fixture.Problems.Current).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Event_that_cannot_be_read_keeps_the_last_good_version()
    {
        await using var fixture = new ReflectorFixture();
        var watch = await fixture.ListAsync(7, ApiText.Service("web", 5));
        watch.Send(ApiText.Modified("{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"web\",\"resourceVersion\":\"8\"}}"),
            ApiText.Added(ApiText.Service("zz", 9)));
        await fixture.ServicesAreAsync("web=10.96.0.10 zz=10.96.0.10");

        Assert.Single(fixture.Problems.Current);
    }
}
