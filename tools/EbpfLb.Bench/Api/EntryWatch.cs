// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Concurrent;
using System.Diagnostics;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Bench.Api;

/// <summary>Sees entries of services_v1 change, through a descriptor of its own as any process would. One thread reads.</summary>
internal sealed class EntryWatch : IDisposable
{
    private readonly BpfMap _services;
    private readonly Dictionary<string, uint> _idByName;
    private readonly ConcurrentQueue<Expected> _added = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly TimeSpan? _pause;
    private readonly Thread _reader;
    private volatile bool _ended;

    /// <param name="directory">Where the maps are pinned. Services that come later are not known.</param>
    /// <param name="pause">
    /// Between two looks, the resolution of what is seen. Null: none, and the thread takes a processor while it expects something.
    /// </param>
    public EntryWatch(string directory, TimeSpan? pause)
    {
        _pause = pause;
        _services = BpfMap.OpenPinned(Path.Combine(directory, MapNames.Services));
        using var names = BpfMap.OpenPinned(Path.Combine(directory, MapNames.ServiceNames));
        _idByName = names.ReadAll<uint, ServiceNameValue>().ToDictionary(entry => entry.Value.Name.ToString(), entry => entry.Key);
        _reader = new Thread(Read) { IsBackground = true, Name = "entry watch" };
        _reader.Start();
    }

    /// <summary>Completes with the time at which the entry of the service's only port was seen to be another than it is now.</summary>
    public Task<long> Next(string service)
    {
        if (!_idByName.TryGetValue($"{service}:http", out uint id) || !_services.TryLookup(id, out ServiceValue before))
            throw new BenchException($"no entry of the maps has the name {service}:http");

        var expected = new Expected(id, before);
        _added.Enqueue(expected);
        _wake.Set();
        return expected.Seen.Task;
    }

    public Dictionary<uint, ServiceValue> ReadAll() => new(_services.ReadAll<uint, ServiceValue>());

    public void Dispose()
    {
        _ended = true;
        _wake.Set();
        _reader.Join();
        _services.Dispose();
        _wake.Dispose();
    }

    private void Read()
    {
        var expected = new List<Expected>();
        while (!_ended)
        {
            while (_added.TryDequeue(out var added))
                expected.Add(added);
            expected.RemoveAll(IsSeen);
            if (expected.Count == 0)
                _wake.WaitOne();
            else if (_pause is { } pause)
                Thread.Sleep(pause);
            else
                Thread.Yield();
        }

        foreach (var left in expected)
            left.Seen.TrySetCanceled();
    }

    // A lookup that meets the replacement of its key may find neither the old element nor the new one: that is no answer.
    private bool IsSeen(Expected expected)
    {
        if (!_services.TryLookup(expected.Id, out ServiceValue now) || now == expected.Before)
            return false;

        expected.Seen.SetResult(Stopwatch.GetTimestamp());
        return true;
    }

    private sealed record Expected(uint Id, ServiceValue Before)
    {
        public TaskCompletionSource<long> Seen { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
