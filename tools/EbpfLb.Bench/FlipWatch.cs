// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using EbpfLb.Bench.Workload;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Bench;

/// <summary>Reads entries of services_v1 as fast as they can be read, through a descriptor of its own as any process would.</summary>
internal sealed class FlipWatch : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    private readonly BpfMap _services;
    private readonly Dictionary<string, uint> _idByName;

    /// <param name="directory">Where the maps are pinned. Services that come later are not known.</param>
    public FlipWatch(string directory)
    {
        _services = BpfMap.OpenPinned(Path.Combine(directory, MapNames.Services));
        using var names = BpfMap.OpenPinned(Path.Combine(directory, MapNames.ServiceNames));
        _idByName = names.ReadAll<uint, ServiceNameValue>().ToDictionary(entry => entry.Value.Name.ToString(), entry => entry.Key);
    }

    public int Count => _idByName.Count;

    /// <summary>The id of a service's only port.</summary>
    public uint IdOf(int service)
    {
        string name = $"{Cluster.Namespace}/{Cluster.ServiceName(service)}:http";
        return _idByName.TryGetValue(name, out uint id) ? id : throw new BenchException($"no entry of the maps has the name {name}");
    }

    /// <returns>Milliseconds from just before <paramref name="change"/> until the entry is seen to name another range of slots.</returns>
    public double Time(uint id, Action change)
    {
        var before = Find(id);
        long start = Stopwatch.GetTimestamp();
        change();

        // A lookup that meets the replacement of its key may find neither the old element nor the new one: that is no answer.
        while (!_services.TryLookup(id, out ServiceValue now) || now == before)
        {
            if (Stopwatch.GetElapsedTime(start) > Deadline)
                throw new BenchException($"the entry of service id {id} did not change within {Deadline.TotalSeconds} s");
        }

        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    public void Dispose() => _services.Dispose();

    private ServiceValue Find(uint id) => _services.TryLookup<uint, ServiceValue>(id, out var value)
        ? value
        : throw new BenchException($"service id {id} has no entry");
}
