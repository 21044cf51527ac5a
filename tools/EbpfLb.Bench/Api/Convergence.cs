// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using EbpfLb.Bench.Processes;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Bench.Api;

/// <summary>
/// When an agent had programmed a whole cluster, to the nanosecond and from outside: agent_v1 says when the last run that left nothing
/// undone ended, and the maps are counted to see that it was the one.
/// </summary>
internal static class Convergence
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);

    /// <returns>CLOCK_MONOTONIC.</returns>
    public static long Wait(
        AgentProcess agent, string directory, int services, int endpoints, TimeSpan deadline, CancellationToken stopping)
    {
        using var map = Open(Path.Combine(directory, MapNames.Agent), deadline, stopping);
        using var shown = map.MapReadOnly();
        int backends = services * endpoints;
        ulong counted = 0;
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < deadline; Sleep(stopping))
        {
            var value = shown.Get<AgentValue>(0);
            bool mayBe = value.Pid == agent.Id && value.Syncs > counted && value.Services == services && value.Failed == 0
                && value.LastBackendId >= backends;
            if (!mayBe)
                continue;

            counted = value.Syncs;
            if (Count<FrontendKey, FrontendValue>(directory, MapNames.Frontends) == services
                && Count<uint, BackendValue>(directory, MapNames.Backends) == backends)
                return (long)value.SyncedNs;
        }

        throw new BenchException($"{services} services with {endpoints} endpoints were not programmed within {deadline.TotalSeconds} s");
    }

    /// <summary>How many there are, of all services.</summary>
    public static int Backends(string directory) => Count<uint, BackendValue>(directory, MapNames.Backends);

    private static BpfMap Open(string path, TimeSpan deadline, CancellationToken stopping)
    {
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < deadline; Sleep(stopping))
        {
            if (BpfMap.TryOpenPinned(path, out var map))
                return map;
        }

        throw new BenchException($"there was no map {path} within {deadline.TotalSeconds} s");
    }

    private static int Count<TKey, TValue>(string directory, string name)
        where TKey : unmanaged
        where TValue : unmanaged
    {
        using var map = BpfMap.OpenPinned(Path.Combine(directory, name));
        return map.ReadAll<TKey, TValue>().Count;
    }

    private static void Sleep(CancellationToken stopping)
    {
        stopping.ThrowIfCancellationRequested();
        Thread.Sleep(Pause);
    }
}
