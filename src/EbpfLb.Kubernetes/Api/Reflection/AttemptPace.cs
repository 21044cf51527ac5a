// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Api.Reflection;

/// <summary>
/// When the next attempt may be made: after failures later and later, and never more than one a second for long, whatever the server
/// does.
/// </summary>
internal sealed class AttemptPace(TimeProvider time, Random random)
{
    // Refused stream, list, watch, expired version, list: a start that goes wrong in every way is not slowed down.
    private const double Burst = 5;

    private const double FirstSeconds = 0.8;

    private const double LongestSeconds = 20;

    // A server that is not there has no load to be spared, and once it is back the node should know within five seconds.
    private const double LongestUnreachableSeconds = 3;

    private const double Spread = 0.5;

    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromMinutes(5);

    private double _tokens = Burst;
    private long _refilled = time.GetTimestamp();

    /// <summary>In a row.</summary>
    public int Failures { get; private set; }

    public void Reset() => Failures = 0;

    /// <returns>How long to wait before the next attempt: 0.8 s, doubling up to 20 s, and up to half of that more.</returns>
    /// <param name="retryAfter">What the server asks for: kept, and spread the same way. One of hours counts as five minutes.</param>
    /// <param name="unreachable">Nothing of the server came: 3 s at most, and up to half of that more.</param>
    public TimeSpan Fail(TimeSpan? retryAfter = null, bool unreachable = false)
    {
        double seconds = Math.Min(unreachable ? LongestUnreachableSeconds : LongestSeconds, FirstSeconds * Math.Pow(2, Math.Min(Failures, 16)));
        Failures++;
        if (retryAfter is { } asked)
            seconds = Math.Max(seconds, Math.Min(asked.TotalSeconds, LongestRetryAfter.TotalSeconds));
        return TimeSpan.FromSeconds(seconds * (1 + (random.NextDouble() * Spread)));
    }

    /// <returns>How long the attempt that is to be made now must wait for its turn.</returns>
    public TimeSpan Take()
    {
        long now = time.GetTimestamp();
        _tokens = Math.Min(Burst, _tokens + time.GetElapsedTime(_refilled, now).TotalSeconds) - 1;
        _refilled = now;
        return _tokens >= 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(-_tokens);
    }
}
