// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using EbpfLb.FakeApi.Store;

namespace EbpfLb.FakeApi.Bulk;

public enum ChangeKind
{
    /// <summary>The slice's first endpoint stops being ready, or is again.</summary>
    Ready,

    /// <summary>The slice's first endpoint moves to another address, or back.</summary>
    Address,
}

/// <param name="Address">Of the endpoint that changed, as it is now.</param>
/// <param name="Ready">Whether it is, now.</param>
public sealed record SliceChange(string Service, string Slice, string Address, bool Ready, StoreEvent Event);

/// <summary>
/// Services <c>bulk/svc-00000</c> and on, one TCP port each, with endpoints in slices of a hundred at most, as the controller makes
/// them. The slices are bytes from the start.
/// </summary>
public sealed class BulkCluster
{
    public const string Namespace = "bulk";
    private const int SliceSize = 100;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    private readonly ObjectStore _store;
    private readonly BulkSlice[] _slices;

    /// <param name="nodes">Their names are node-0 and on; endpoints are spread over them.</param>
    /// <param name="time">Of the annotation that says when a change was triggered.</param>
    public BulkCluster(ObjectStore store, int services, int endpoints, TimeProvider? time = null, int nodes = 10)
    {
        _store = store;
        ServiceCount = services;
        EndpointCount = endpoints;
        _slices =
        [
            .. from service in Enumerable.Range(0, services)
               from first in Enumerable.Range(0, (endpoints + SliceSize - 1) / SliceSize).Select(part => part * SliceSize)
               select new BulkSlice(
                   ServiceName(service), $"{ServiceName(service)}-{first / SliceSize}", Address(0x0a800001, service * endpoints + first),
                   Math.Min(SliceSize, endpoints - first), nodes, time ?? TimeProvider.System),
        ];
    }

    public int ServiceCount { get; }

    /// <summary>Of each service.</summary>
    public int EndpointCount { get; }

    public int SliceCount => _slices.Length;

    public static string ServiceName(int service) => $"svc-{service:D5}";

    public static IPAddress ClusterIP(int service)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, Address(0x0a60000a, service));
        return new IPAddress(bytes);
    }

    /// <summary>Before watches begin: what runs already is not told.</summary>
    public void Load()
    {
        _store.Load(ResourceType.Services, Enumerable.Range(0, ServiceCount).Select<int, Func<long, StoredObject>>(
            service => version => BulkService.Encode(ServiceName(service), ClusterIP(service).ToString(), version)));
        _store.Load(ResourceType.EndpointSlices, _slices.Select<BulkSlice, Func<long, StoredObject>>(slice => slice.Encode));
    }

    /// <summary>Every call changes the slice anew. One caller at a time for each slice.</summary>
    public SliceChange Change(int slice, ChangeKind kind)
    {
        var changed = _slices[slice];
        changed.Flip(kind);
        var told = _store.Put(changed.Encode);
        return new SliceChange(changed.Service, changed.Name, changed.FirstAddress, changed.FirstIsReady, told);
    }

    /// <summary>Changes every slice once, at a steady rate.</summary>
    public async Task<IReadOnlyList<SliceChange>> ChangeAllAsync(ChangeKind kind, TimeSpan within, CancellationToken stopping)
    {
        var changes = new List<SliceChange>(SliceCount);
        long start = Stopwatch.GetTimestamp();
        while (changes.Count < SliceCount)
        {
            double due = within == TimeSpan.Zero ? 1 : Stopwatch.GetElapsedTime(start) / within;
            for (int until = (int)Math.Min(SliceCount, Math.Ceiling(due * SliceCount)); changes.Count < until;)
                changes.Add(Change(changes.Count, kind));
            await Task.Delay(Tick, stopping);
        }

        return changes;
    }

    private static uint Address(uint first, int offset) => first + (uint)offset;
}
