// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Agent.Health;

/// <summary>
/// Whether changes get to the maps in time. Unhealthy is what waits longer than <paramref name="timeout"/>: a change that no run has
/// taken, or a run that does not end. Any thread may call any member.
/// </summary>
/// <remarks>
/// A run that could not program single services counts as one that ended. They are problems, in the status and as events; unhealthy would
/// make the kubelet restart the agent, which changes nothing about a service that does not fit, and would do so for ever.
/// </remarks>
internal sealed class SyncHealth(TimeSpan timeout, TimeProvider time)
{
    private readonly Lock _gate = new();

    // All of these with _gate held. Ages are taken from the monotonic clock: a clock that is set must not make anybody unhealthy.
    private long? _waitsSince;
    private long? _runsSince;
    private DateTimeOffset? _lastUpdated;

    /// <summary>A change waits to be taken. Only the first of several counts.</summary>
    public void Queued()
    {
        lock (_gate)
            _waitsSince ??= time.GetTimestamp();
    }

    /// <summary>
    /// A run has taken all that waited. What is queued between its taking and this call is the next run's, which starts at once and
    /// counts from its own start.
    /// </summary>
    public void Started()
    {
        lock (_gate)
        {
            // One that failed before goes on in this one.
            _runsSince ??= _waitsSince ?? time.GetTimestamp();
            _waitsSince = null;
        }
    }

    /// <summary>The run put in place what it took. A run that failed as a whole never says so.</summary>
    public void Completed()
    {
        lock (_gate)
        {
            _runsSince = null;
            _lastUpdated = time.GetUtcNow();
        }
    }

    /// <summary>Before the first run has ended the agent is starting up, which is healthy.</summary>
    public HealthReport Report()
    {
        lock (_gate)
        {
            bool isLate = IsLate(_waitsSince) || IsLate(_runsSince);
            return new HealthReport(_lastUpdated, time.GetUtcNow(), _lastUpdated is null || !isLate);
        }
    }

    private bool IsLate(long? since) => since is { } timestamp && time.GetElapsedTime(timestamp) >= timeout;
}
