// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Datapath.Status;

/// <summary>
/// Keeps agent_v1 and problems_v1 as the agent sees itself. They are for people and for commands; nothing is decided from them, so a write
/// that fails is left for the next time.
/// </summary>
public sealed class AgentStatus
{
    private readonly IBpfMap<uint, ProblemValue> _map;
    private readonly BpfMappedArray? _agent;
    private readonly List<Problem> _shown = [];
    private AgentValue _value;

    public AgentStatus(KernelMaps maps, AgentValue initial)
        : this((maps ?? throw new ArgumentNullException(nameof(maps))).Problems, initial)
    {
        _agent = maps.Agent;
        Publish();
    }

    // What an agent before this one left is not ours to show.
    internal AgentStatus(IBpfMap<uint, ProblemValue> problems, AgentValue initial)
    {
        _map = problems;
        _value = initial;
        foreach (var (key, _) in _map.ReadAll())
            _map.Delete(key);
    }

    public AgentValue Value => _value;

    public void Synced(ulong nowNs, int services, int failed, bool clean)
    {
        _value.Syncs++;
        _value.Services = (uint)services;
        _value.Failed = (uint)failed;
        if (clean)
            _value.SyncedNs = nowNs;
        Publish();
    }

    /// <summary>Shows as many as the map holds; their number is told in full.</summary>
    public void SetProblems(IReadOnlyList<Problem> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        int count = (int)Math.Min((uint)problems.Count, _map.MaxEntries);
        for (int i = 0; i < count; i++)
        {
            if (i < _shown.Count && _shown[i] == problems[i])
                continue;

            // A failed write leaves no memory of it, so the next call tries again.
            bool written = _map.Put((uint)i + 1, new ProblemValue { Object = problems[i].Subject, Message = problems[i].Message }).Succeeded;
            var shown = written ? problems[i] : new Problem("", "");
            if (i < _shown.Count)
                _shown[i] = shown;
            else
                _shown.Add(shown);
        }

        while (_shown.Count > count && _map.Delete((uint)_shown.Count).Succeeded)
            _shown.RemoveAt(_shown.Count - 1);
        _value.Problems = (uint)problems.Count;
        Publish();
    }

    private void Publish()
    {
        if (_agent is null)
            return;

        // The id marks in the same element belong to the sync.
        ref var shown = ref _agent.At<AgentValue>(0);
        _value.LastServiceId = shown.LastServiceId;
        _value.LastBackendId = shown.LastBackendId;
        shown = _value;
    }
}
