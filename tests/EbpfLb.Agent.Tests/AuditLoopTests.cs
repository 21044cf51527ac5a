// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Agent.Metrics;
using EbpfLb.Agent.Tests.Support;
using EbpfLb.Datapath.Audit;
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Status;
using EbpfLb.Datapath.Sync;
using EbpfLb.Linux;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.State;

namespace EbpfLb.Agent.Tests;

public sealed class AuditLoopTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly CancellationTokenSource _stop = new(Patience);
    private readonly WarningLog<AuditLoop> _log = new();
    private readonly MetricRegistry _registry = new();
    private readonly Record _record = new();
    private readonly InMemoryMaps _maps;
    private readonly DatapathSync _sync;
    private Func<MapWrite?> _fault = () => null;
    private Func<IReadOnlyList<Divergence>> _putBack = () => [];
    private IReadOnlyList<Problem> _problems = [];
    private bool _settingsChanged;

    public AuditLoopTests()
    {
        _maps = new InMemoryMaps(fault: () => _fault());
        _sync = DatapathSync.Restore(_maps, new DatapathSyncOptions(), TimeProvider.System);
        var state = new ClusterStateWriter();
        state.RegisterSource("test");
        state.Apply(Changes.Of("web", "10.96.0.10", "10.244.1.11"));
        state.SetListed("test", true);
        var delta = state.Take();
        _sync.Apply(new DesiredState(new DesiredStateOptions { NodeName = "node1" }).Update(delta.State, delta.Dirty), complete: true);
    }

    public void Dispose() => _stop.Dispose();

    [Fact]
    public void What_was_changed_is_repaired_counted_and_told_with_map_key_and_service()
    {
        var loop = Create();
        _maps.Backends.Delete(_maps.Backends.ReadAll()[0].Key);
        Audit(loop);
        Assert.Equal(
            ["Somebody changed the maps: backends_v1: 10.244.1.11:8080 (id 1) of default/web (TCP, IPv4) is missing. It was repaired"], _log.Lines);
        Assert.Equal((1, 0), (_record.Differed, _record.Left));
        Assert.Contains("ebpflb_state_divergence 1\n", Metrics, StringComparison.Ordinal);
        Assert.Contains("ebpflb_state_repaired_total 1\n", Metrics, StringComparison.Ordinal);
        Assert.Empty(loop.Problems);

        Audit(loop);
        Assert.Contains("ebpflb_state_divergence 0\n", Metrics, StringComparison.Ordinal);
        Assert.Contains("ebpflb_state_repaired_total 1\n", Metrics, StringComparison.Ordinal);
        Assert.Single(_log.Lines);
    }

    [Fact]
    public void What_cannot_be_repaired_is_told_once_and_is_a_problem_until_it_can()
    {
        var loop = Create();
        _maps.Frontends.Delete(_maps.Frontends.ReadAll()[0].Key);
        _fault = () => new MapWrite(MapError.OutOfMemory, "ENOMEM");
        Audit(loop);
        Audit(loop);
        Assert.Contains("It cannot be repaired, and is tried again: ENOMEM", Assert.Single(_log.Lines), StringComparison.Ordinal);
        Assert.Equal("frontends_v1", Assert.Single(loop.Problems).Subject);
        Assert.Contains("ebpflb_state_unrepaired 1\n", Metrics, StringComparison.Ordinal);

        _fault = () => null;
        Audit(loop);
        Assert.Empty(loop.Problems);
        Assert.Equal((1, 0), (_record.Differed, _record.Left));
    }

    [Fact]
    public void Of_many_the_first_are_named_and_the_others_counted()
    {
        var loop = Create();
        for (uint id = 100; id < 115; id++)
            _maps.Services.Put(id, default);
        Audit(loop);
        Assert.Equal(11, _log.Lines.Count);
        Assert.Equal("And 5 more entries of maps", _log.Lines[^1]);
        Assert.Contains("ebpflb_state_repaired_total 15\n", Metrics, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_that_were_changed_count()
    {
        var loop = Create();
        _settingsChanged = true;
        Audit(loop);
        Assert.Equal((1, 0), (_record.Differed, _record.Left));
    }

    [Fact]
    public async Task Whoever_asks_is_answered_after_the_maps_were_compared()
    {
        var loop = Create(new AuditOptions { PollInterval = TimeSpan.FromMilliseconds(1) });
        var woken = new SemaphoreSlim(0);
        loop.Wake = () => woken.Release();
        var running = loop.RunAsync(_stop.Token);
        await Task.Delay(50, _stop.Token);
        Assert.Equal(0, woken.CurrentCount);

        _record.Asked = 3;
        await woken.WaitAsync(_stop.Token);
        Assert.Equal(0ul, _record.Answered);
        loop.Compare(_sync);
        Assert.Equal(3ul, _record.Answered);
        await StopAsync(running);
    }

    [Fact]
    public async Task Whoever_asked_while_the_agent_started_is_answered()
    {
        _record.Asked = 1;
        var loop = Create(new AuditOptions { PollInterval = TimeSpan.FromMilliseconds(1) });
        var woken = new SemaphoreSlim(0);
        loop.Wake = () => woken.Release();
        var running = loop.RunAsync(_stop.Token);
        await woken.WaitAsync(_stop.Token);
        loop.Compare(_sync);
        Assert.Equal(1ul, _record.Answered);
        await StopAsync(running);
    }

    [Fact]
    public async Task The_maps_are_audited_again_and_again_and_sooner_after_one_that_left_something()
    {
        var loop = Create(new AuditOptions
        {
            PollInterval = TimeSpan.FromMilliseconds(1),
            Interval = TimeSpan.FromMilliseconds(1),
            RetryInterval = TimeSpan.FromMilliseconds(2),
        });
        var woken = new SemaphoreSlim(0);
        loop.Wake = () => woken.Release();
        var running = loop.RunAsync(_stop.Token);
        for (int i = 0; i < 3; i++)
        {
            await woken.WaitAsync(_stop.Token);
            loop.Compare(_sync);
        }

        Assert.True(_record.Runs > 0);
        await StopAsync(running);
    }

    [Fact]
    public void Nothing_is_compared_before_all_is_known()
    {
        var loop = Create();
        var restored = DatapathSync.Restore(_maps, new DatapathSyncOptions(), TimeProvider.System);
        Assert.True(loop.Read(1));
        loop.Compare(restored);
        Assert.Equal(0, _record.Runs);
        loop.Compare(_sync);
        Assert.Equal(1, _record.Runs);
    }

    [Fact]
    public void S170_What_was_removed_and_put_back_is_warned_of_and_counted()
    {
        var loop = Create();
        _putBack = () => [new Divergence(Installation.Pins, DivergenceKind.Missing, "vips_v1", "")];
        loop.Look();
        Assert.Equal(["Somebody removed what the agent had put in place: pins: vips_v1 is missing. It was put back"], _log.Lines);
        Assert.Equal(1, _record.WerePutBack);
        Assert.Contains("ebpflb_put_back_total 1\n", Metrics, StringComparison.Ordinal);
    }

    [Fact]
    public void A_look_that_fails_is_told_once_a_cause_and_stops_nothing()
    {
        var loop = Create();
        _putBack = () => throw new LinuxException("pin a map", Errno.ENOSPC);
        loop.Look();
        loop.Look();
        _putBack = () => throw new DatapathException("another agent");
        loop.Look();
        Assert.Equal(2, _log.Lines.Count);
    }

    [Fact]
    public void S168_A_hook_that_others_held_at_the_start_is_told_no_second_time_and_its_end_is_shown()
    {
        _problems = [new Problem("/sys/fs/cgroup/x", "held")];
        var loop = Create();
        int wakes = 0;
        loop.Wake = () => wakes++;
        _problems = [];
        loop.Look();
        Assert.Equal(1, wakes);
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public void S168_A_hook_that_others_hold_is_told_once_and_shown_at_once()
    {
        var loop = Create();
        int wakes = 0;
        loop.Wake = () => wakes++;
        loop.Look();
        Assert.Equal(0, wakes);
        _problems = [new Problem("/sys/fs/cgroup/x", "held")];
        loop.Look();
        loop.Look();
        Assert.Equal((1, "held"), (wakes, Assert.Single(_log.Lines)));
        Assert.Equal(_problems, loop.Problems);
        _problems = [];
        loop.Look();
        Assert.Equal(2, wakes);
    }

    private string Metrics => System.Text.Encoding.UTF8.GetString(_registry.Write());

    private AuditLoop Create(AuditOptions? options = null) => new(
        () => MapImage.Read(_maps), () => _putBack(), () => _settingsChanged, () => _problems, _record, new AuditMetrics(_registry),
        options ?? new AuditOptions(), TimeProvider.System, _log);

    private void Audit(AuditLoop loop)
    {
        Assert.True(loop.Read(0));
        loop.Compare(_sync);
    }

    private async Task StopAsync(Task running)
    {
        await _stop.CancelAsync();
        await running;
    }

    private sealed class Record : IAuditRecord
    {
        private ulong _asked;

        public ulong Asked
        {
            get => Volatile.Read(ref _asked);
            set => Volatile.Write(ref _asked, value);
        }

        public ulong Answered { get; private set; }

        public int Runs { get; private set; }

        public int Differed { get; private set; }

        public int Left { get; private set; }

        public int WerePutBack { get; private set; }

        public void Ended(ulong answered, ulong nowNs, int differed, int left)
        {
            Runs++;
            (Answered, Differed, Left) = (answered, differed, left);
        }

        public void PutBack(int count) => WerePutBack += count;
    }
}
