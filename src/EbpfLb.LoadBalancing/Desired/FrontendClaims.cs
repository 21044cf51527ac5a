// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.Desired;

/// <summary>
/// Who claims which frontend, and who has it. Claims of a batch of services are replaced first and settled after that, so the outcome
/// depends on what is claimed, not on who came first.
/// </summary>
internal sealed class FrontendClaims
{
    // Ordered, so the first has the frontend. An array is never written to once it is in here.
    private readonly Dictionary<FrontendAddress, Claim[]> _claims = [];

    // Only frontends that more than one service port claims.
    private readonly Dictionary<FrontendAddress, FrontendConflict[]> _conflicts = [];

    // As they were before the first change since the last settlement.
    private readonly Dictionary<FrontendAddress, Claim[]> _before = [];

    public IReadOnlyList<FrontendConflict> Conflicts => Ordered(_conflicts.Values.SelectMany(static conflicts => conflicts));

    public bool IsHeldBy(FrontendAddress frontend, ServicePortKey key) =>
        _claims.TryGetValue(frontend, out var claims) && claims[0].Key == key;

    /// <param name="previousRules">Those that the claims of the previous version were made under.</param>
    public void Replace(Service? previous, ExternalAddressRules previousRules, Service? current, ExternalAddressRules rules)
    {
        if (previous is not null)
            ChangeAll(previous, previousRules, add: false);
        if (current is not null)
            ChangeAll(current, rules, add: true);
    }

    /// <summary>Ends a batch: the services whose frontends are different now, and how the conflicts changed.</summary>
    public Settlement Settle()
    {
        if (_before.Count == 0)
            return Settlement.Nothing;

        var affected = new HashSet<ObjectName>();
        List<FrontendConflict> appeared = [], resolved = [];
        foreach (var (frontend, before) in _before)
        {
            var after = _claims.GetValueOrDefault(frontend, []);
            if (!SameHolder(before, after))
            {
                if (before.Length > 0)
                    affected.Add(before[0].Key.Service);
                if (after.Length > 0)
                    affected.Add(after[0].Key.Service);
            }

            var known = _conflicts.GetValueOrDefault(frontend, []);
            var conflicts = ConflictsOf(frontend, after);
            appeared.AddRange(conflicts.Except(known));
            resolved.AddRange(known.Except(conflicts));
            if (conflicts.Length > 0)
                _conflicts[frontend] = conflicts;
            else
                _conflicts.Remove(frontend);
        }

        // Clearing costs what the largest batch ever took, which is the first.
        _before.Clear();
        if (_before.Capacity > 1024)
            _before.TrimExcess();
        return new Settlement(affected, Ordered(appeared), Ordered(resolved));
    }

    private static DateTimeOffset CreatedAt(Service service) => service.CreatedAt ?? DateTimeOffset.MaxValue;

    private static bool SameHolder(Claim[] before, Claim[] after) =>
        before.Length > 0 && after.Length > 0 ? before[0].Key == after[0].Key : before.Length == after.Length;

    private static FrontendConflict[] ConflictsOf(FrontendAddress frontend, Claim[] claims) => claims.Length < 2
        ? []
        : [.. claims.Skip(1).Select(loser => new FrontendConflict(frontend, claims[0].Key, loser.Key)
        {
            IsClusterIP = claims[0].IsClusterIP && !loser.IsClusterIP,
        })];

    private static FrontendConflict[] Ordered(IEnumerable<FrontendConflict> conflicts) =>
    [
        .. conflicts
            .OrderBy(static conflict => conflict.Frontend.Address)
            .ThenBy(static conflict => conflict.Frontend.Port)
            .ThenBy(static conflict => conflict.Frontend.Protocol)
            .ThenBy(static conflict => conflict.Winner)
            .ThenBy(static conflict => conflict.Loser),
    ];

    private void ChangeAll(Service service, ExternalAddressRules rules, bool add)
    {
        foreach (var (key, frontend) in ServiceFrontends.Of(service, rules))
            Change(frontend.Key, new Claim(key, CreatedAt(service), frontend.Kind.HasFlag(FrontendKind.ClusterIP)), add);
    }

    private void Change(FrontendAddress frontend, Claim claim, bool add)
    {
        var claims = _claims.GetValueOrDefault(frontend, []);
        _before.TryAdd(frontend, claims);
        Claim[] changed = [.. claims.Where(other => other != claim), .. add ? [claim] : Array.Empty<Claim>()];
        if (changed.Length == 0)
        {
            _claims.Remove(frontend);
            return;
        }

        Array.Sort(changed);
        _claims[frontend] = changed;
    }

    /// <param name="Affected">Services that lost or got a frontend. Some may be gone.</param>
    internal sealed record Settlement(
        IReadOnlySet<ObjectName> Affected, IReadOnlyList<FrontendConflict> Appeared, IReadOnlyList<FrontendConflict> Resolved)
    {
        public static Settlement Nothing { get; } = new(new HashSet<ObjectName>(), [], []);
    }
}
