// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;
using static EbpfLb.LoadBalancing.Tests.Objects;

namespace EbpfLb.LoadBalancing.Tests.State;

public sealed class ClusterStateWriterTests
{
    private static readonly Service Web = Service("default/web", "10.96.0.1");
    private static readonly EndpointSlice WebSlice = Slice("default/web-1", "default/web", Ready("10.244.0.1"));

    [Fact]
    public void Nothing_is_complete_without_a_source()
    {
        var writer = new ClusterStateWriter();
        writer.Apply(Change(Web));
        Assert.False(writer.IsComplete);
        Assert.False(writer.Take().IsComplete);
    }

    [Fact]
    public void Nothing_is_handed_out_until_every_source_has_listed_and_then_all_of_it()
    {
        var writer = new ClusterStateWriter();
        writer.RegisterSource("services");
        writer.RegisterSource("slices");
        writer.Apply(Change(Web));
        writer.SetListed("services", complete: true);
        Assert.False(writer.IsComplete);

        var early = writer.Take();
        Assert.False(early.IsComplete);
        Assert.Empty(early.Dirty);
        Assert.Equal(0, early.State.ServiceCount);
        Assert.False(writer.WaitAsync(default).IsCompleted);

        writer.Apply(Change(WebSlice));
        writer.SetListed("slices", complete: true);
        Assert.True(writer.IsComplete);
        Assert.True(writer.WaitAsync(default).IsCompletedSuccessfully);

        var first = writer.Take();
        Assert.True(first.IsComplete);
        Assert.Equal([Web.Name], first.Dirty);
        Assert.Equal(Web, first.State.FindService(Web.Name));
        Assert.Equal([WebSlice], first.State.SlicesOf(Web.Name).ToArray());
    }

    [Fact]
    public void Completion_is_a_signal_of_its_own_even_when_there_is_nothing_at_all()
    {
        var writer = new ClusterStateWriter();
        writer.RegisterSource("test");
        writer.SetListed("test", complete: true);
        Assert.True(writer.WaitAsync(default).IsCompletedSuccessfully);
        Assert.True(writer.Take() is { IsComplete: true, Dirty.Count: 0 });
        Assert.False(writer.WaitAsync(default).IsCompleted);

        writer.SetListed("test", complete: true);
        Assert.False(writer.WaitAsync(default).IsCompleted);
    }

    [Fact]
    public void A_source_that_cannot_read_a_part_of_what_it_has_hands_out_the_rest_as_incomplete()
    {
        var writer = new ClusterStateWriter();
        writer.RegisterSource("whole");
        writer.RegisterSource("part");
        writer.Apply(Change(Web));
        writer.SetListed("part", complete: false);
        Assert.Empty(writer.Take().Dirty);

        writer.SetListed("whole", complete: true);
        Assert.True(writer.WaitAsync(default).IsCompletedSuccessfully);
        var partial = writer.Take();
        Assert.Equal([Web.Name], partial.Dirty);
        Assert.False(partial.IsComplete || writer.IsComplete);

        // Changes go on meanwhile.
        writer.Apply(new ClusterChange { RemovedServices = [Web.Name] });
        Assert.True(writer.WaitAsync(default).IsCompletedSuccessfully);
        Assert.Null(writer.Take().State.FindService(Web.Name));
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void Becoming_complete_or_incomplete_is_told_even_when_no_object_changed(bool before, bool after)
    {
        var writer = new ClusterStateWriter();
        writer.RegisterSource("test");
        writer.SetListed("test", before);
        Assert.Equal(before, writer.Take().IsComplete);

        writer.SetListed("test", before);
        Assert.False(writer.WaitAsync(default).IsCompleted);
        writer.SetListed("test", after);
        Assert.True(writer.WaitAsync(default).IsCompletedSuccessfully);
        Assert.True(writer.Take() is { Dirty.Count: 0 } delta && delta.IsComplete == after);
    }

    [Fact]
    public void A_source_registered_late_holds_back_what_follows_until_it_has_listed()
    {
        var writer = OpenWriter();
        writer.Apply(Change(Web));
        writer.Take();

        writer.RegisterSource("late");
        writer.Apply(new ClusterChange { RemovedServices = [Web.Name] });
        var closed = writer.Take();
        Assert.False(closed.IsComplete);
        Assert.Empty(closed.Dirty);
        Assert.NotNull(closed.State.FindService(Web.Name));

        writer.SetListed("late", complete: true);
        var open = writer.Take();
        Assert.Equal([Web.Name], open.Dirty);
        Assert.Null(open.State.FindService(Web.Name));
    }

    [Fact]
    public void A_source_is_registered_once_and_before_it_lists()
    {
        var writer = OpenWriter();
        Assert.Throws<ArgumentException>(() => writer.RegisterSource("test"));
        Assert.Throws<ArgumentException>(() => writer.SetListed("another", complete: true));
    }

    [Fact]
    public void Equal_records_mark_nothing_dirty_and_wake_nobody()
    {
        var writer = OpenWriter();
        writer.Apply(Change(Web, WebSlice, new Node(ThisNode, "a")));
        var before = writer.Take();

        writer.Apply(Change(
            Service("default/web", "10.96.0.1"), Slice("default/web-1", "default/web", Ready("10.244.0.1")), new Node(ThisNode, "a")));
        Assert.False(writer.WaitAsync(default).IsCompleted);
        var after = writer.Take();
        Assert.Empty(after.Dirty);
        Assert.Same(before.State, after.State);
    }

    [Fact]
    public void Removing_what_is_not_there_marks_nothing_dirty()
    {
        var writer = OpenWriter();
        writer.Take();
        writer.Apply(new ClusterChange { RemovedServices = [Web.Name], RemovedSlices = [WebSlice.Name] });
        Assert.False(writer.WaitAsync(default).IsCompleted);
        Assert.Empty(writer.Take().Dirty);
    }

    [Fact]
    public void A_slice_that_moves_to_another_service_dirties_both()
    {
        var writer = OpenWriter();
        writer.Apply(Change(Web, WebSlice));
        writer.Take();

        writer.Apply(Change(WebSlice with { Service = Name("default/other") }));
        var delta = writer.Take();
        Assert.Equal([Name("default/other"), Web.Name], delta.Dirty.Order());
        Assert.True(delta.State.SlicesOf(Web.Name).IsEmpty);
        Assert.Equal(1, delta.State.SlicesOf(Name("default/other")).Length);
    }

    [Fact]
    public void A_removed_slice_dirties_its_service()
    {
        var writer = OpenWriter();
        var second = Slice("default/web-2", "default/web", Ready("10.244.0.2"));
        writer.Apply(Change(Web, WebSlice, second));
        writer.Take();

        writer.Apply(new ClusterChange { RemovedSlices = [WebSlice.Name] });
        var delta = writer.Take();
        Assert.Equal([Web.Name], delta.Dirty);
        Assert.Equal([second], delta.State.SlicesOf(Web.Name).ToArray());
    }

    [Fact]
    public void Slices_stand_in_order_of_name_however_they_came()
    {
        var writer = OpenWriter();
        foreach (int n in new[] { 5, 1, 9, 3, 7, 3 })
            writer.Apply(Change(Slice($"default/web-{n}", "default/web", Ready($"10.244.0.{n}"))));

        var slices = writer.Take().State.SlicesOf(Web.Name).ToArray();
        Assert.Equal(["web-1", "web-3", "web-5", "web-7", "web-9"], slices.Select(static slice => slice.Name.Name));
    }

    [Fact]
    public void Slices_that_come_before_their_service_wait_for_it()
    {
        var writer = OpenWriter();
        writer.Apply(Change(WebSlice));
        Assert.Equal([Web.Name], writer.Take().Dirty);
        writer.Apply(Change(Web));
        Assert.Equal(1, writer.Take().State.SlicesOf(Web.Name).Length);
    }

    [Theory]
    [InlineData(ThisNode, "b")]
    [InlineData(ThisNode, null)]
    [InlineData(null, null)]
    public void A_change_of_the_node_dirties_every_service(string? name, string? zone)
    {
        var other = Service("default/other", "10.96.0.2");
        var writer = OpenWriter();
        writer.Apply(Change(Web, other, new Node(ThisNode, "a")));
        writer.Take();

        writer.Apply(new ClusterChange { Node = new NodeChange(name is null ? null : new Node(name, zone)) });
        var delta = writer.Take();
        Assert.Equal([other.Name, Web.Name], delta.Dirty.Order());
        Assert.Equal(zone, delta.State.Node?.Zone);
    }

    [Fact]
    public void A_change_of_the_node_is_seen_even_when_there_are_no_services()
    {
        var writer = OpenWriter();
        writer.Take();
        writer.Apply(Change(new Node(ThisNode, "a")));
        Assert.True(writer.WaitAsync(default).IsCompleted);
        Assert.Equal("a", writer.Take().State.Node?.Zone);
    }

    [Fact]
    public void An_object_removed_and_upserted_in_one_change_is_there()
    {
        var writer = OpenWriter();
        writer.Apply(Change(Web, WebSlice));
        writer.Take();
        writer.Apply(Change(Web, WebSlice) with { RemovedServices = [Web.Name], RemovedSlices = [WebSlice.Name] });
        var state = writer.Take().State;
        Assert.Equal(Web, state.FindService(Web.Name));
        Assert.Equal([WebSlice], state.SlicesOf(Web.Name).ToArray());
    }

    [Fact]
    public void A_state_once_taken_never_changes()
    {
        var writer = OpenWriter();
        writer.Apply(Change(Web, WebSlice, new Node(ThisNode, "a")));
        var taken = writer.Take().State;

        writer.Apply(new ClusterChange
        {
            UpsertedServices = [Web with { AffinityTimeoutSeconds = 5 }, Service("default/new", "10.96.0.9")],
            RemovedSlices = [WebSlice.Name],
            Node = new NodeChange(null),
        });
        writer.Take();
        Assert.Equal(Web, taken.FindService(Web.Name));
        Assert.Equal([WebSlice], taken.SlicesOf(Web.Name).ToArray());
        Assert.Equal(1, taken.ServiceCount);
        Assert.Equal("a", taken.Node?.Zone);
    }

    [Fact]
    public void Any_number_of_changes_is_one_signal_and_a_take_ends_it()
    {
        var writer = OpenWriter();
        writer.Take();
        var early = writer.WaitAsync(default);
        Assert.False(early.IsCompleted);

        for (uint n = 1; n <= 100; n++)
            writer.Apply(Change(Web with { AffinityTimeoutSeconds = n }));

        Assert.True(writer.WaitAsync(default).IsCompletedSuccessfully);
        Assert.Equal([Web.Name], writer.Take().Dirty);
        Assert.False(writer.WaitAsync(default).IsCompleted);
    }

    [Fact]
    public async Task A_waiter_is_woken_by_a_change_that_comes_later()
    {
        var writer = OpenWriter();
        writer.Take();
        var waiting = writer.WaitAsync(default);
        Assert.False(waiting.IsCompleted);
        writer.Apply(Change(Web));
        await waiting.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Waiting_ends_when_it_is_cancelled_and_loses_no_signal()
    {
        var writer = OpenWriter();
        writer.Take();
        using var stop = new CancellationTokenSource();
        var waiting = writer.WaitAsync(stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        writer.Apply(Change(Web));
        Assert.True(writer.WaitAsync(stop.Token).IsCanceled);
        Assert.True(writer.WaitAsync(default).IsCompletedSuccessfully);
    }

    [Fact]
    public void A_service_CIDR_is_news_that_makes_no_service_dirty_and_an_equal_one_is_none()
    {
        var writer = OpenWriter();
        writer.Apply(Change(Web));
        writer.Take();

        var cidr = new ServiceCidr("kubernetes", Prefixes("10.96.0.0/16"));
        writer.Apply(new ClusterChange { UpsertedServiceCidrs = [cidr] });
        Assert.True(writer.WaitAsync(default).IsCompleted);
        var delta = writer.Take();
        Assert.Empty(delta.Dirty);
        Assert.Equal(Prefixes("10.96.0.0/16"), delta.State.ServiceCidrs);

        var same = cidr with { Prefixes = Prefixes("10.96.0.0/16") };
        writer.Apply(new ClusterChange { UpsertedServiceCidrs = [same], RemovedServiceCidrs = ["x"] });
        Assert.False(writer.WaitAsync(default).IsCompleted);
        writer.Apply(new ClusterChange { RemovedServiceCidrs = ["kubernetes"] });
        Assert.True(writer.WaitAsync(default).IsCompleted);
        Assert.True(writer.Take().State.ServiceCidrs.IsEmpty);
    }

    [Fact]
    public void Service_CIDRs_that_cannot_be_told_are_partial_and_keep_nothing_else_from_being_complete()
    {
        var writer = new ClusterStateWriter();
        writer.RegisterSource("services");
        writer.RegisterSource("cidrs", onlyServiceCidrs: true);
        writer.SetListed("services", complete: true);
        Assert.False(writer.Take().IsListed);
        Assert.False(writer.IsComplete);

        writer.SetListed("cidrs", complete: false);
        var delta = writer.Take();
        Assert.True(delta.IsComplete);
        Assert.True(delta.State.ServiceCidrsArePartial);

        writer.SetListed("cidrs", complete: true);
        Assert.True(writer.WaitAsync(default).IsCompleted);
        Assert.False(writer.Take().State.ServiceCidrsArePartial);
    }

    [Fact]
    public void Triggers_that_nobody_takes_are_bounded()
    {
        var writer = new ClusterStateWriter();
        writer.RegisterSource("slices");
        writer.RegisterSource("services");
        writer.SetListed("slices", complete: true);
        var slice = Slice("default/web-1", "default/web", Ready("10.244.0.1"));
        for (int i = 0; i <= ClusterStateWriter.MaxTriggers; i++)
            writer.Apply(Change(slice with { LastChangeTrigger = Time(0).AddSeconds(i) }));
        writer.SetListed("services", complete: true);

        Assert.Equal(ClusterStateWriter.MaxTriggers, writer.Take().Triggers.Count);
    }

    [Fact]
    public void Changes_are_counted_each_as_often_as_it_happens_and_are_pending_until_they_are_taken()
    {
        var writer = OpenWriter();
        var web = Service("default/web", "10.96.0.1");
        var slice = Slice("default/web-1", "default/web", Ready("10.244.0.1"));
        writer.Apply(Change(web, slice));
        writer.Apply(Change(web, slice));
        writer.Apply(Change(web with { Uid = "2" }, slice with { Endpoints = [Ready("10.244.0.2")] }));
        var none = Name("default/none");
        writer.Apply(new ClusterChange { RemovedServices = [web.Name, none], RemovedSlices = [slice.Name, none] });
        Assert.Equal((3, 3), writer.Pending);

        var delta = writer.Take();
        Assert.Equal((3, 3), (delta.ServiceChanges, delta.SliceChanges));
        Assert.Equal((0, 0), writer.Pending);
        delta = writer.Take();
        Assert.Equal((0, 0), (delta.ServiceChanges, delta.SliceChanges));
    }

    [Fact]
    public void Changes_are_pending_and_counted_also_while_a_source_has_not_listed()
    {
        var writer = new ClusterStateWriter();
        writer.RegisterSource("test");
        writer.Apply(Change(Service("default/web", "10.96.0.1")));
        Assert.Equal(0, writer.Take().ServiceChanges);
        Assert.Equal((1, 0), writer.Pending);

        writer.SetListed("test", complete: true);
        Assert.Equal(1, writer.Take().ServiceChanges);
    }

    [Fact]
    public void A_service_that_is_another_object_of_the_name_is_a_change()
    {
        var writer = OpenWriter();
        var web = Service("default/web", "10.96.0.1") with { Uid = "1" };
        writer.Apply(Change(web));
        writer.Take();
        writer.Apply(new ClusterChange { RemovedServices = [web.Name], UpsertedServices = [web with { Uid = "2" }] });

        var delta = writer.Take();
        Assert.Equal([web.Name], delta.Dirty);
        Assert.Equal("2", delta.State.FindService(web.Name)!.Uid);
        Assert.Equal(2, delta.ServiceChanges);
    }

    [Fact]
    public void A_trigger_is_handed_out_once_and_again_when_it_is_another()
    {
        var writer = OpenWriter();
        var slice = Slice("default/web-1", "default/web", Ready("10.244.0.1")) with { LastChangeTrigger = Time(1) };
        writer.Apply(Change(slice));
        writer.Apply(Change(slice));
        Assert.Equal([new ChangeTrigger(AddressFamily.IPv4, Time(1))], writer.Take().Triggers);

        // Changed, for a reason that the slice does not date.
        writer.Apply(Change(slice with { Endpoints = [Ready("10.244.0.2")] }));
        Assert.Empty(writer.Take().Triggers);
        writer.Apply(Change(slice with { LastChangeTrigger = null }));
        Assert.Empty(writer.Take().Triggers);

        var six = Slice("default/web-6", "default/web", Ready("fd00::1")) with { LastChangeTrigger = Time(2) };
        writer.Apply(Change(slice with { LastChangeTrigger = Time(2) }, six));
        Assert.Equal(
            [new ChangeTrigger(AddressFamily.IPv4, Time(2)), new ChangeTrigger(AddressFamily.IPv6, Time(2))], writer.Take().Triggers);
    }

    [Fact]
    public void A_slice_that_goes_has_no_trigger()
    {
        var writer = OpenWriter();
        var slice = Slice("default/web-1", "default/web", Ready("10.244.0.1")) with { LastChangeTrigger = Time(1) };
        writer.Apply(Change(slice));
        writer.Take();
        writer.Apply(new ClusterChange { RemovedSlices = [slice.Name] });
        Assert.Empty(writer.Take().Triggers);
    }

    [Fact]
    public void What_becomes_ready_to_be_taken_is_told_once_until_it_is_taken()
    {
        int queued = 0;
        var writer = new ClusterStateWriter { Queued = () => queued++ };
        writer.RegisterSource("test");
        writer.Apply(Change(Service("default/web", "10.96.0.1")));
        Assert.Equal(0, queued);

        writer.SetListed("test", complete: true);
        Assert.Equal(1, queued);
        writer.Apply(Change(Service("default/api", "10.96.0.2")));
        Assert.Equal(1, queued);

        writer.Take();
        writer.Apply(Change(Service("default/api", "10.96.0.2")));
        Assert.Equal(1, queued);
        writer.Apply(Change(Service("default/api", "10.96.0.3")));
        Assert.Equal(2, queued);
    }

    [Fact]
    public void A_node_that_is_going_is_news()
    {
        var writer = OpenWriter();
        writer.Apply(Change(new Node(ThisNode)));
        writer.Take();
        writer.Apply(Change(new Node(ThisNode) { IsGoing = true }));
        Assert.True(writer.WaitAsync(CancellationToken.None).IsCompleted);
        Assert.True(writer.Take().State.Node!.IsGoing);
    }

    [Fact]
    public async Task Changes_of_many_threads_all_arrive_and_batches_are_never_seen_by_halves()
    {
        const int Writers = 4, Pairs = 500;
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var writer = OpenWriter();
        var writing = Enumerable.Range(0, Writers).Select(who => Task.Run(() =>
        {
            for (int n = 0; n < Pairs; n++)
            {
                writer.Apply(Change(Service($"w{who}/left-{n}", "10.96.0.1"), Service($"w{who}/right-{n}", "10.96.0.2")));

                // One that changes all the time, in step with its twin.
                var both = Change(
                    Web with { Name = new($"w{who}", "left"), AffinityTimeoutSeconds = (uint)n },
                    Web with { Name = new($"w{who}", "right"), AffinityTimeoutSeconds = (uint)n });
                writer.Apply(both);
            }
        })).ToArray();

        var seen = new HashSet<ObjectName>();
        ClusterState state;
        do
        {
            await writer.WaitAsync(deadline.Token);
            var delta = writer.Take();
            Assert.True(delta.IsComplete);
            seen.UnionWith(delta.Dirty);
            state = delta.State;
            for (int who = 0; who < Writers; who++)
            {
                Assert.Equal(
                    state.FindService(new($"w{who}", "left"))?.AffinityTimeoutSeconds,
                    state.FindService(new($"w{who}", "right"))?.AffinityTimeoutSeconds);
            }

            foreach (var name in delta.Dirty.Where(static name => name.Name.StartsWith("left", StringComparison.Ordinal)))
                Assert.Contains(new ObjectName(name.Namespace, name.Name.Replace("left", "right", StringComparison.Ordinal)), delta.Dirty);
        }
        while (!Enumerable.Range(0, Writers).All(who =>
            state.FindService(new($"w{who}", "left")) is { AffinityTimeoutSeconds: Pairs - 1 }));

        await Task.WhenAll(writing);
        Assert.Equal(Writers * ((2 * Pairs) + 2), seen.Count);
        Assert.Equal(seen.Count, state.ServiceCount);
        Assert.False(writer.WaitAsync(default).IsCompleted);
    }
}
