// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Frozen;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.LoadBalancing.Desired;

namespace EbpfLb.Datapath.Sync;

public sealed partial class DatapathSync
{
    private static readonly IReadOnlySet<SourceRangeKey> NoRanges = FrozenSet<SourceRangeKey>.Empty;

    // Before the entry that says that they count: nobody who is admitted meets a moment in which he is not. What the entry before it
    // went by stays until then, so in between both are admitted.
    private Refusal? PutRanges(ProgrammedPort port, DesiredPort desired, out IReadOnlySet<SourceRangeKey> ranges)
    {
        ranges = NoRanges;
        if (desired.SourceRanges.IsEmpty)
            return port.Ranges.Count > 0 ? DeleteFormerFrontends(port) : null;

        ranges = desired.SourceRanges.Select(prefix => Encoding.Range(prefix, port.ServiceId)).ToHashSet();
        Refusal? refusal = null;
        foreach (var key in ranges)
        {
            if (!port.Ranges.Contains(key))
                port.StagedRanges.Add(key);
            var write = _ranges.Put(key, default);
            if (write.Succeeded)
                continue;

            refusal = new Refusal(MapNames.SourceRanges, _ranges.MaxEntries, write);
            if (write.Error == MapError.Full)
                break;
        }

        return refusal;
    }

    // A load balancer frontend that outlived its ranges would admit everybody, be it for as long as its deletion fails.
    private Refusal? DeleteFormerFrontends(ProgrammedPort port)
    {
        foreach (var key in port.Frontends.ToArray())
        {
            if (_desiredFrontends.TryGetValue(key, out var owner) && owner == port.Key)
                continue;

            DeleteFrontend(port, key);
            if (_frontends.Contains(key))
                return new Refusal(MapNames.Frontends, _frontends.MaxEntries, _frontends.LastRefusal);
        }

        return null;
    }

    /// <summary>To be called when the entry that goes by them is there, or is gone: what only the one before it went by goes.</summary>
    private void PublishRanges(ProgrammedPort port, IReadOnlySet<SourceRangeKey> ranges)
    {
        foreach (var key in port.Ranges.Concat(port.StagedRanges).Where(key => !ranges.Contains(key) && _ranges.Contains(key)))
        {
            _ranges.Delete(key);
            _freed = true;
        }

        port.Ranges = ranges;
        port.StagedRanges.Clear();
    }

    private void DropStagedRanges(ProgrammedPort port)
    {
        foreach (var key in port.StagedRanges)
            _ranges.Delete(key);
        port.StagedRanges.Clear();
    }

    // No program asks for those of a service that is not there.
    private void RestoreRanges()
    {
        foreach (var ranges in _ranges.Entries.Keys.GroupBy(key => key.ServiceId).ToArray())
        {
            if (_portById.TryGetValue(ranges.Key, out var port))
            {
                port.Ranges = ranges.ToHashSet();
                continue;
            }

            foreach (var key in ranges)
                _ranges.Delete(key);
        }
    }
}
