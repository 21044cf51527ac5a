// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Status;
using EbpfLb.Datapath.Sync;
using EbpfLb.Kubernetes.Api.Events;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Agent;

/// <summary>What runs of the reconcile loop leave undone, or did in a way an operator should know. Owned by the loop.</summary>
internal sealed class ReconcileProblems(DesiredState desired, DatapathSync sync, ReconcileOptions options, ServiceEvents? events, ILogger logger)
{
    private readonly SortedDictionary<ObjectName, Problem> _smallTables = [];
    private HashSet<string> _reported = new(StringComparer.Ordinal);
    private IReadOnlyList<ServiceCidrConflict> _cidrConflicts = [];
    private IReadOnlyList<FrontendRefusal> _refusals = [];
    private int _uncounted;
    private Problem? _overlap;

    /// <summary>Ordered by what they concern, the widest first.</summary>
    public IReadOnlyList<Problem> Current { get; private set; } = [];

    /// <returns>Whether other services fail than did before.</returns>
    public bool Note(DesiredChanges changes, ApplyReport report)
    {
        bool smallTablesChanged = NoteSmallTables(changes);
        bool failuresChanged = NoteFailures(report);
        bool countedChanged = _uncounted != sync.UncountedBackends;
        _uncounted = sync.UncountedBackends;
        bool cidrConflictsChanged = NoteCidrConflicts(changes);
        bool keptChanged = NoteKept(changes);
        bool refusalsChanged = NoteRefusals(changes);
        bool overlapChanged = NoteOverlap();
        foreach (var conflict in changes.NewConflicts)
            Tell(conflict);
        if (failuresChanged || smallTablesChanged || countedChanged || cidrConflictsChanged || overlapChanged
            || keptChanged || refusalsChanged || changes.NewConflicts.Count > 0 || changes.ResolvedConflicts.Count > 0)
            Current = Collect(report);
        return failuresChanged;
    }

    // Logged once per failure, not once per try.
    private bool NoteFailures(ApplyReport report)
    {
        if (report.Failures.Count == 0 && _reported.Count == 0)
            return false;

        var current = report.Failures.Select(failure => failure.Message).ToHashSet(StringComparer.Ordinal);
        if (current.SetEquals(_reported))
            return false;

        foreach (var failure in report.Failures.Where(failure => !_reported.Contains(failure.Message)))
        {
            logger.ServiceFailed(failure.Message);
            events?.Warn(failure.Service, EventReasons.NotProgrammed, failure.Message);
        }

        _reported = current;
        return true;
    }

    private void Tell(FrontendConflict conflict)
    {
        string text = Describe(conflict);
        logger.FrontendConflict(text);
        events?.Warn(conflict.Loser.Service, EventReasons.FrontendConflict, text);
        if (conflict.Winner.Service != conflict.Loser.Service)
            events?.Note(conflict.Winner.Service, EventReasons.FrontendConflict, text);
    }

    private bool NoteSmallTables(DesiredChanges changes)
    {
        bool changed = false;
        foreach (var name in changes.Removed)
            changed |= _smallTables.Remove(name);
        foreach (var service in changes.Upserted)
        {
            var small = service.Ports.FirstOrDefault(port => port.MaglevTableTooSmall);
            if (small is null)
            {
                changed |= _smallTables.Remove(service.Name);
                continue;
            }

            var problem = new Problem(
                service.Name.ToString(),
                $"{small.Key} has {small.Backends.Count} backends, more than its Maglev table was given slots; it got "
                + $"{small.MaglevTableSize}. Raise --maglev-table-size or the service's annotation, or set 0 to let the number of backends "
                + "decide.");
            if (_smallTables.TryGetValue(service.Name, out var known) && known == problem)
                continue;

            _smallTables[service.Name] = problem;
            logger.SmallMaglevTable(problem.Message);
            changed = true;
        }

        return changed;
    }

    private bool NoteCidrConflicts(DesiredChanges changes)
    {
        if (changes.ServiceCidrConflicts is not { } conflicts)
            return false;

        foreach (var conflict in conflicts.Except(_cidrConflicts))
            logger.ServiceCidrConflict(Describe(conflict));
        _cidrConflicts = conflicts;
        return true;
    }

    private bool NoteKept(DesiredChanges changes)
    {
        if (changes.Kept is not { } kept)
            return false;

        foreach (var backends in kept)
            logger.BackendsKept(Describe(backends));
        return true;
    }

    private bool NoteRefusals(DesiredChanges changes)
    {
        if (changes.Refusals is not { } refusals)
            return false;

        foreach (var refusal in refusals.Except(_refusals))
        {
            string text = RefusalText.Describe(refusal);
            logger.FrontendRefused(text);
            events?.Warn(refusal.Key.Service, EventReasons.AddressRefused, text);
        }

        _refusals = refusals;
        return true;
    }

    private bool NoteOverlap()
    {
        var overlap = Overlap();
        if (overlap == _overlap)
            return false;

        if (overlap is not null)
            logger.SnatPortsOverlap(overlap.Message);
        _overlap = overlap;
        return true;
    }

    private Problem? Overlap()
    {
        var nodePorts = sync.NodePortRange;
        if (options.SnatPorts is not { } snat || nodePorts.IsEmpty || snat.Last < nodePorts.First || snat.First > nodePorts.Last)
            return null;

        return new Problem(
            "--snat-ports",
            $"--snat-ports {snat.First}-{snat.Last} overlaps the range of NodePorts in use, {nodePorts.First}-{nodePorts.Last}: packets to "
            + "such a NodePort may be taken for answers to a masqueraded flow. Choose ports outside of it with --snat-ports, or give the "
            + "services other NodePorts.");
    }

    private IReadOnlyList<Problem> Collect(ApplyReport report) =>
    [
        .. _overlap is null ? Array.Empty<Problem>() : [_overlap],
        .. report.Failures.OrderBy(failure => failure.Service).Select(failure => new Problem(failure.Service.ToString(), failure.Message)),
        .. desired.Conflicts.Select(conflict => new Problem(conflict.Loser.Service.ToString(), Describe(conflict))),
        .. _refusals.Select(refusal => new Problem(refusal.Key.Service.ToString(), RefusalText.Describe(refusal))),
        .. desired.Kept.Select(kept => new Problem(kept.Key.Service.ToString(), Describe(kept))),
        .. _cidrConflicts.Select(conflict => new Problem($"ServiceCIDR/{conflict.Cidr}", Describe(conflict))),
        .. _smallTables.Values,
        .. Uncounted(),
    ];

    private Problem[] Uncounted() => _uncounted == 0
        ? []
        : [new Problem(MapNames.Counters, $"{_uncounted} backends have no counters, because {MapNames.Counters} takes no more: "
            + $"their traffic is served and not counted. Raise it with --map-size {MapNames.Counters}=ENTRIES.")];

    private static string Describe(FrontendConflict conflict) =>
        $"{conflict.Loser.DisplayName} does not get frontend {conflict.Frontend}: {conflict.Winner.DisplayName} has it, "
        + (conflict.IsClusterIP ? "as its cluster IP." : "being older or, of the same age, first by name. It takes over when that one goes.");

    private static string Describe(KeptBackends kept) =>
        $"{kept.Key} {(kept.ServiceIsGone ? "is gone" : "has no endpoint")}, and keeps the {kept.Backends.Count} backends it had last, so "
        + "that the API server stays within reach. It follows the cluster again once the Service has an endpoint; see whether the API "
        + "servers write theirs.";

    private static string Describe(ServiceCidrConflict conflict) =>
        $"Service CIDR {conflict.Cidr} holds {conflict.NodeAddress}, an address of this node, and is not programmed: addresses "
        + "of it that no service has are not dropped. Give the node an address outside of it, or correct the ServiceCIDR.";
}
