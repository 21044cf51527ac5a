// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Tests.Api.Support;

/// <summary>Time that passes when a test says so, and tells what is waited for. Timers fire on the thread that passes them.</summary>
internal sealed class ApiClock : TimeProvider
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly List<ApiTimer> _timers = [];
    private DateTimeOffset _now = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);
    private TaskCompletionSource _armed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
            return _now;
    }

    public override long GetTimestamp() => GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ApiTimer(this, () => callback(state));
        lock (_gate)
            _timers.Add(timer);
        timer.Change(dueTime, period);
        return timer;
    }

    public void Advance(TimeSpan by)
    {
        ApiTimer[] due;
        lock (_gate)
        {
            _now += by;
            due = [.. _timers.Where(timer => timer.Due <= _now).OrderBy(timer => timer.Due)];
            foreach (var timer in due)
                timer.Due = timer.Period == Timeout.InfiniteTimeSpan ? DateTimeOffset.MaxValue : timer.Due + timer.Period;
        }

        foreach (var timer in due)
            timer.Fire();
    }

    /// <summary>Completes when anybody begins to wait after this was asked for.</summary>
    public Task Armed
    {
        get
        {
            lock (_gate)
                return _armed.Task;
        }
    }

    /// <summary>Waits until somebody waits for as long as the test expects, and lets that time pass.</summary>
    public async Task<TimeSpan> PassAsync(Func<TimeSpan, bool> isExpected)
    {
        var deadline = Task.Delay(Patience);
        while (true)
        {
            var armed = Armed;
            if (TryPass(isExpected) is { } passed)
                return passed;

            Assert.NotSame(deadline, await Task.WhenAny(armed, deadline));
        }
    }

    /// <returns>The time that passed; null when nobody waits for as long as the test expects.</returns>
    public TimeSpan? TryPass(Func<TimeSpan, bool> isExpected)
    {
        TimeSpan left;
        lock (_gate)
        {
            var timer = _timers.Where(timer => timer.Due != DateTimeOffset.MaxValue && isExpected(timer.DueTime)).MinBy(timer => timer.Due);
            if (timer is null)
                return null;

            left = timer.Due - _now;
        }

        Advance(left);
        return left;
    }

    private sealed class ApiTimer(ApiClock clock, Action fire) : ITimer
    {
        public DateTimeOffset Due { get; set; } = DateTimeOffset.MaxValue;

        public TimeSpan DueTime { get; private set; }

        public TimeSpan Period { get; private set; }

        public void Fire() => fire();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._gate)
            {
                Period = period;
                DueTime = dueTime;
                Due = dueTime == Timeout.InfiniteTimeSpan ? DateTimeOffset.MaxValue : clock._now + dueTime;
                clock._armed.TrySetResult();
                clock._armed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            return true;
        }

        public void Dispose()
        {
            lock (clock._gate)
                clock._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
