// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.CompilerServices;
using EbpfLb.Agent.Metrics;
using EbpfLb.Agent.Tests.Support;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Sockets;
using EbpfLb.Linux;

namespace EbpfLb.Agent.Tests;

public sealed class DeadSocketsLoopTests
{
    private readonly WarningLog<DeadSocketsLoop> _log = new();
    private bool _complete = true;
    private int _looks;
    private DeadSocketsResult _result = new(0, []);

    [Fact]
    public void Nothing_is_ended_while_a_backend_that_is_missing_may_exist()
    {
        var loop = Loop();
        _complete = false;
        loop.RunOnce();
        Assert.Equal(0, _looks);
        _complete = true;
        loop.RunOnce();
        Assert.Equal(1, _looks);
    }

    [Fact]
    public void What_cannot_be_ended_is_a_problem_for_as_long_as_it_is_so()
    {
        var loop = Loop();
        int changes = 0;
        loop.ProblemsChanged = () => changes++;
        loop.RunOnce();
        Assert.Equal((0, 0), (changes, loop.Problems.Count));

        _result = new DeadSocketsResult(5, [new(DeadSocketObstacle.NamespaceNotEntered, 3, 2)]);
        loop.RunOnce();
        loop.RunOnce();
        var problem = Assert.Single(loop.Problems);
        Assert.Equal(DeadSocketsProblem.Subject, problem.Subject);
        Assert.Equal(
            "3 in 2 network namespaces still send to backends that are gone: "
            + "3 in namespaces that the agent may not enter (give it CAP_SYS_ADMIN)",
            problem.Message);
        Assert.Equal(1, changes);

        _result = new DeadSocketsResult(0, [new(DeadSocketObstacle.NamespaceNotSeen, 1, 1)]);
        loop.RunOnce();
        Assert.StartsWith("1 in 1 network namespace still send", Assert.Single(loop.Problems).Message, StringComparison.Ordinal);
        Assert.Contains("hostPID", loop.Problems[0].Message, StringComparison.Ordinal);
        _result = new DeadSocketsResult(1, []);
        loop.RunOnce();
        Assert.Empty(loop.Problems);
        Assert.Equal((3, 2), (changes, _log.Lines.Count));
    }

    [Fact]
    public void A_problem_with_two_causes_is_not_cut_off()
    {
        foreach (var one in Enum.GetValues<DeadSocketObstacle>())
        {
            foreach (var other in Enum.GetValues<DeadSocketObstacle>())
            {
                var problem = DeadSocketsProblem.Of(new DeadSocketsResult(0, [new(one, 99999, 999), new(other, 99999, 999)]))!;
                Assert.InRange(problem.Message.Length, 1, Unsafe.SizeOf<MessageText>() - 1);
            }
        }
    }

    [Fact]
    public void A_look_that_fails_is_told_of_once_a_cause()
    {
        var errno = Errno.EPERM;
        var loop = new DeadSocketsLoop(
            () => throw new LinuxException("read iterator sock_dead", errno), () => true, new DeadSocketsOptions(), TimeProvider.System,
            _log);
        loop.RunOnce();
        loop.RunOnce();
        errno = Errno.ENOMEM;
        loop.RunOnce();
        Assert.Equal(2, _log.Lines.Count);
    }

    [Fact]
    public async Task Who_asks_gets_a_look_at_once_and_a_second_one()
    {
        using var stop = new CancellationTokenSource();
        var loop = Loop(new DeadSocketsOptions { Interval = TimeSpan.FromHours(1), MinInterval = TimeSpan.FromMilliseconds(1) });
        var running = loop.RunAsync(stop.Token);
        await Eventually.True(() => Volatile.Read(ref _looks) == 1, "one at the start");
        loop.Wake();
        await Eventually.True(() => Volatile.Read(ref _looks) == 3, "two when asked");
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task The_next_look_is_when_a_grace_is_over()
    {
        using var stop = new CancellationTokenSource();
        TimeSpan?[] waits = [null, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(2)];
        var options = new DeadSocketsOptions { Interval = TimeSpan.FromHours(1), MinInterval = TimeSpan.FromMilliseconds(1) };
        var loop = Loop(options, () => waits[Math.Min(Volatile.Read(ref _looks), waits.Length - 1)]);
        var running = loop.RunAsync(stop.Token);
        await Eventually.True(() => Volatile.Read(ref _looks) == 2, "another look, unasked");
        await Task.Delay(50);
        Assert.Equal(2, Volatile.Read(ref _looks));
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public void What_ended_is_told_by_protocol()
    {
        var registry = new MetricRegistry();
        var loop = Loop();
        loop.Looked = new DeadSocketMetrics(registry).Looked;
        _result = new DeadSocketsResult(5, []) { OfTcp = 2 };
        loop.RunOnce();
        loop.RunOnce();
        var metrics = ParsedMetrics.Parse(registry.Write());
        Assert.Equal(4, metrics["ebpflb_dead_sockets_ended_total", ("protocol", "tcp")]);
        Assert.Equal(6, metrics["ebpflb_dead_sockets_ended_total", ("protocol", "udp")]);
    }

    private DeadSocketsLoop Loop(DeadSocketsOptions? options = null, Func<TimeSpan?>? untilNext = null) => new(
        () =>
        {
            Interlocked.Increment(ref _looks);
            return _result;
        },
        () => _complete, options ?? new DeadSocketsOptions(), TimeProvider.System, _log, untilNext);
}
