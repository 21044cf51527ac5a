// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Api.Events;

/// <summary>
/// How many new Events a Service may have, as client-go's spam filter has it: 25 at once, one more every five minutes. Further ones
/// of an Event that is there cost nothing. Owned by whoever holds the recorder's lock.
/// </summary>
internal sealed class EventAllowances
{
    public const int Burst = 25;

    // More than have Events at one time; those that have their full burst back are forgotten at this number.
    private const int MaxServices = 4096;

    public static readonly TimeSpan Refill = TimeSpan.FromMinutes(5);

    private readonly Dictionary<ObjectName, (double Left, DateTimeOffset At)> _services = [];

    public bool TrySpend(ObjectName service, DateTimeOffset now)
    {
        if (_services.Count >= MaxServices && !_services.ContainsKey(service))
            ForgetWhole(now);

        double left = _services.TryGetValue(service, out var allowance) ? Left(allowance, now) : Burst;
        if (left < 1)
            return false;

        _services[service] = (left - 1, now);
        return true;
    }

    private static double Left((double Left, DateTimeOffset At) allowance, DateTimeOffset now) =>
        Math.Min(Burst, allowance.Left + ((now - allowance.At) / Refill));

    private void ForgetWhole(DateTimeOffset now)
    {
        foreach (var name in _services.Where(entry => Left(entry.Value, now) >= Burst).Select(static entry => entry.Key).ToArray())
            _services.Remove(name);

        // So many at once are no Service's own spam.
        if (_services.Count >= MaxServices)
            _services.Clear();
    }
}
