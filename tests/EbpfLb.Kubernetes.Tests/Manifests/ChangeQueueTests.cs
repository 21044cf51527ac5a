// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Manifests.Source;

namespace EbpfLb.Kubernetes.Tests.Manifests;

public sealed class ChangeQueueTests
{
    private readonly ChangeQueue _queue = new();

    [Fact]
    public async Task Name_told_often_waits_once_and_other_names_wake_nobody()
    {
        _queue.Add("notes.txt");
        _queue.Add(".web.yaml.swp");
        Assert.False(_queue.TakeAsync(CancellationToken.None).IsCompleted);

        _queue.Add("b.yaml");
        _queue.Add("a.yaml");
        _queue.Add("b.yaml");
        var taken = await _queue.TakeAsync(CancellationToken.None);
        Assert.Equal(["a.yaml", "b.yaml"], taken.Names);
        Assert.False(taken.Everything);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("..data")]
    [InlineData("..2026_01_31_12_00_00.000000001")]
    public async Task Change_that_may_be_anywhere_is_a_look_at_everything(string? name)
    {
        _queue.Add("a.yaml");
        _queue.Add(name);
        _queue.Add("b.yaml");

        var taken = await _queue.TakeAsync(CancellationToken.None);
        Assert.True(taken.Everything);
        Assert.Empty(taken.Names);
    }

    [Fact]
    public async Task More_names_than_fit_become_a_look_at_everything()
    {
        for (int i = 0; i < 10_000; i++)
            _queue.Add($"{i}.yaml");

        var taken = await _queue.TakeAsync(CancellationToken.None);
        Assert.True(taken.Everything);
        Assert.InRange(taken.Names.Count, 0, 4096);
    }

    [Fact]
    public async Task Failure_reaches_the_taker_even_when_something_else_waits()
    {
        _queue.Add("a.yaml");
        _queue.Fail(new IOException("gone"));

        await Assert.ThrowsAsync<IOException>(() => _queue.TakeAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Taker_can_be_stopped()
    {
        using var stop = new CancellationTokenSource();
        var waiting = _queue.TakeAsync(stop.Token);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }
}
