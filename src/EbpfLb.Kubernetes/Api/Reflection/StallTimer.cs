// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Api.Reflection;

/// <summary>Gives up waiting for a server from which nothing came for <see cref="Limit"/>.</summary>
internal sealed class StallTimer : IDisposable
{
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _either;

    public StallTimer(TimeProvider time, TimeSpan limit, CancellationToken stopping)
    {
        Limit = limit;
        _timer = new CancellationTokenSource(limit, time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(_timer.Token, stopping);
    }

    /// <summary>Of every wait that begins from now on.</summary>
    public TimeSpan Limit { get; set; }

    /// <summary>Cancelled when it gives up, and when the caller is stopped.</summary>
    public CancellationToken Token => _either.Token;

    /// <summary>A wait begins.</summary>
    public void Rearm() => _timer.CancelAfter(Limit);

    public void Dispose()
    {
        _either.Dispose();
        _timer.Dispose();
    }
}
