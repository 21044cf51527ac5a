// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Agent.Health;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Agent.Tests.Health;

public sealed class SyncHealthTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly ManualTime _time = new();
    private readonly SyncHealth _health;

    public SyncHealthTests() => _health = new SyncHealth(Timeout, _time);

    private bool IsHealthy => _health.Report().IsHealthy;

    [Fact]
    public void S31_The_oldest_change_that_waits_decides()
    {
        Run();
        _health.Queued();
        _time.Advance(Timeout - TimeSpan.FromTicks(1));
        _health.Queued();
        Assert.True(IsHealthy);
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.False(IsHealthy);

        Run();
        Assert.True(IsHealthy);
        _time.Advance(Timeout * 100);
        Assert.True(IsHealthy);
    }

    [Theory]
    [InlineData(24)]
    [InlineData(-24)]
    [InlineData(1)]
    public void S178_A_wall_clock_that_jumps_makes_nothing_late_or_early(int hours)
    {
        Run();
        _health.Queued();
        _time.Jump(TimeSpan.FromHours(hours));
        Assert.True(IsHealthy);
        _time.Advance(Timeout - TimeSpan.FromTicks(1));
        Assert.True(IsHealthy);
        _time.Jump(TimeSpan.FromHours(-hours));
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.False(IsHealthy);
    }

    [Fact]
    public void Who_never_synced_is_starting_up()
    {
        _health.Queued();
        _time.Advance(Timeout * 2);
        Assert.True(IsHealthy);
        Assert.Null(_health.Report().LastUpdated);
    }

    [Fact]
    public void A_run_that_does_not_end_is_unhealthy_although_nothing_waits()
    {
        Run();
        _health.Started();
        _time.Advance(Timeout);
        Assert.False(IsHealthy);
        _health.Completed();
        Assert.True(IsHealthy);
    }

    [Fact]
    public void Runs_that_fail_one_after_the_other_do_not_make_a_change_younger()
    {
        Run();
        _health.Queued();
        for (int tries = 0; tries < 6; tries++)
        {
            Assert.True(IsHealthy);
            _health.Started();
            _time.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.False(IsHealthy);
    }

    [Fact]
    public void What_comes_during_a_run_waits_for_the_next()
    {
        Run();
        _health.Started();
        _health.Queued();
        _time.Advance(TimeSpan.FromSeconds(40));
        _health.Completed();
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.False(IsHealthy);
    }

    [Fact]
    public void A_node_is_eligible_unless_it_goes_or_is_missing_where_there_is_an_API_server()
    {
        var log = new WarningLog<NodeEligibility>();
        var manifests = new NodeEligibility("node1", needsNode: false, log);
        Assert.True(manifests.IsEligible);
        manifests.Learn(null);
        Assert.True(manifests.IsEligible);
        manifests.Learn(new Node("node1") { IsGoing = true });
        Assert.False(manifests.IsEligible);
        Assert.Empty(manifests.Problems);

        var api = new NodeEligibility("node1", needsNode: true, log);
        Assert.False(api.IsEligible);
        Assert.Empty(api.Problems);
        api.Learn(new Node("node1"));
        Assert.True(api.IsEligible);
        api.Learn(new Node("node1") { IsGoing = true });
        Assert.False(api.IsEligible);
        Assert.Empty(log.Lines);
        api.Learn(null);
        api.Learn(null);
        Assert.False(api.IsEligible);
        Assert.Equal("Node/node1", Assert.Single(api.Problems).Subject);
        Assert.Equal([api.Problems[0].Message], log.Lines);
        api.Learn(new Node("node1"));
        Assert.Empty(api.Problems);
    }

    private void Run()
    {
        _health.Started();
        _health.Completed();
    }
}
