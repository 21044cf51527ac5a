// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Migration;
using EbpfLb.Linux.Bpf;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Tests;

/// <summary>Maps of another size or layout take the place of those that programs use.</summary>
public sealed class MigrationTests : IDisposable
{
    private const int Flows = 500;

    // An LRU map gives up entries before it is full.
    private static readonly uint RoomForFlows = Flows + (128 * (uint)Linux.Processes.PossibleCpus.Count);

    private static readonly Dictionary<string, uint> Small = new()
    {
        [MapNames.Conntrack] = RoomForFlows,
        [MapNames.Services] = 50,
        [MapNames.Slots] = 64,
        [MapNames.SourceRanges] = 40,
        [MapNames.Affinity] = RoomForFlows,
    };

    private static readonly Dictionary<string, uint> Large = Small.ToDictionary(size => size.Key, size => size.Value * 2);

    private readonly KernelDatapath _kernel = new();

    public static TheoryData<string> Steps => [.. Enum.GetNames<MigrationStep>()];

    public void Dispose() => _kernel.Dispose();

    [PrivilegedTheory]
    [MemberData(nameof(Steps))]
    public async Task S140_an_agent_killed_at_any_step_leaves_what_the_next_one_goes_on_from(string name)
    {
        var last = Enum.Parse<MigrationStep>(name);
        using (var datapath = await _kernel.OpenAsync(Small))
            Write(datapath.Maps);
        uint[] links = LinkIds();

        var killed = new List<MigrationStep>();
        await Assert.ThrowsAsync<Killed>(() => KernelDatapath.OpenAsync(_kernel.Options with
        {
            MapSizes = Large,
            MigrationReached = step =>
            {
                killed.Add(step);
                AssertServes();
                if (step == last)
                    throw new Killed();
            },
        }));
        Assert.Equal(last, killed[^1]);
        AssertServes();

        using (var datapath = await _kernel.OpenAsync(Large))
            AssertHolds(datapath.Maps, Large);
        Assert.Equal(links, LinkIds());
        AssertTidy();
    }

    [PrivilegedFact]
    public async Task S140_a_start_without_the_sizes_ends_what_was_committed()
    {
        using (var datapath = await _kernel.OpenAsync(Small))
            Write(datapath.Maps);
        await Assert.ThrowsAsync<Killed>(() => KernelDatapath.OpenAsync(_kernel.Options with
        {
            MapSizes = Large,
            MigrationReached = step => _ = step == MigrationStep.SwitchedOne ? throw new Killed() : 0,
        }));
        using (var datapath = await _kernel.OpenAsync())
            AssertHolds(datapath.Maps, Large);
        AssertTidy();
    }

    [PrivilegedFact]
    public async Task S139_what_old_programs_write_during_the_copy_is_carried_over()
    {
        using (var datapath = await _kernel.OpenAsync(Small))
            Write(datapath.Maps);
        using var old = BpfMap.OpenPinned(Path.Combine(_kernel.Pins, MapNames.Conntrack));
        ConntrackKey early = Key(Flows + 1), late = Key(Flows + 2), marked = Key(1), stale = Key(2);
        using var datapathAfter = await KernelDatapath.OpenAsync(_kernel.Options with
        {
            MapSizes = Large,
            MigrationReached = step =>
            {
                if (step == MigrationStep.Loaded)
                    old.Update(early, Flow(1));
                if (step != MigrationStep.Committed)
                    return;

                old.Update(late, Flow(2));
                old.Update(marked, Flow(7) with { Flags = ConntrackFlags.Fin });
                // The new programs have seen this one since, and another mark.
                old.Update(stale, Flow(1) with { Flags = ConntrackFlags.Rst });
                using var next = BpfMap.OpenPinned(Path.Combine(_kernel.Pins, "next", MapNames.Conntrack));
                next.Update(stale, Flow(9) with { Flags = ConntrackFlags.Data, Packets = 3 });
            },
        });
        var conntrack = datapathAfter.Maps.Conntrack;
        Assert.Equal(Flow(1), Get(conntrack, early));
        Assert.Equal(Flow(2), Get(conntrack, late));
        Assert.Equal(Flow(7) with { Flags = ConntrackFlags.Fin | ConntrackFlags.Data }, Get(conntrack, marked));
        Assert.Equal(Flow(9) with { Flags = ConntrackFlags.Data | ConntrackFlags.Rst, Packets = 3 }, Get(conntrack, stale));
        Assert.Equal(Flows + 2, conntrack.ReadAll().Count);
    }

    [PrivilegedTheory]
    [InlineData(400)]
    [InlineData(1000)]
    [InlineData(4000)]
    public async Task S139_an_earlier_layout_is_converted_whatever_the_new_size(uint size)
    {
        (await _kernel.OpenAsync(Small)).Dispose();
        File.Delete(Path.Combine(_kernel.Pins, MapNames.Conntrack));
        const int Count = 300;
        using (var earlier = BpfMap.Create(new BpfMapSpec("conntrack_v0", BpfMapType.LruHash, 4, 8, 1000)))
        {
            earlier.Pin(Path.Combine(_kernel.Pins, "conntrack_v0"));
            for (uint i = 0; i < Count; i++)
                earlier.Update(i, (ulong)i);
        }

        uint[] links = LinkIds();
        using var datapath = await KernelDatapath.OpenAsync(_kernel.Options with
        {
            MapSizes = new Dictionary<string, uint> { [MapNames.Conntrack] = size },
            Conversions = [new MapConversion("conntrack_v0", MapNames.Conntrack, Convert)],
        });
        Assert.Equal(size, datapath.Maps.Conntrack.MaxEntries);
        // The odd ones mean nothing in the new layout.
        Assert.Equal(
            Enumerable.Range(0, Count / 2).Select(i => Flow((uint)(2 * i))),
            datapath.Maps.Conntrack.ReadAll().Select(entry => entry.Value).OrderBy(value => value.Seen));
        Assert.Equal(links, LinkIds());
        Assert.False(File.Exists(Path.Combine(_kernel.Pins, "conntrack_v0")));
        AssertTidy();

        static bool Convert(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Span<byte> newKey, Span<byte> newValue)
        {
            uint number = MemoryMarshal.Read<uint>(key);
            MemoryMarshal.Write(newKey, Key((int)number));
            MemoryMarshal.Write(newValue, Flow((uint)MemoryMarshal.Read<ulong>(value)));
            return number % 2 == 0;
        }
    }

    [PrivilegedFact]
    public async Task S139_an_earlier_layout_without_a_conversion_begins_anew()
    {
        (await _kernel.OpenAsync()).Dispose();
        File.Delete(Path.Combine(_kernel.Pins, MapNames.Fragments));
        using (var earlier = BpfMap.Create(new BpfMapSpec("fragments_v0", BpfMapType.LruHash, 4, 8, 1000)))
            earlier.Pin(Path.Combine(_kernel.Pins, "fragments_v0"));
        (await _kernel.OpenAsync()).Dispose();
        Assert.False(File.Exists(Path.Combine(_kernel.Pins, "fragments_v0")));
        AssertTidy();
    }

    [PrivilegedTheory]
    [InlineData("conntrack_v1", "conntrack_v2", "conntrack_v2 is version 2 of conntrack; this agent supports it up to version 1.")]
    [InlineData("services_v1", "services_v17", "services_v17 is version 17 of services; this agent supports it up to version 1.")]
    public async Task S141_maps_of_a_newer_agent_are_refused_until_they_are_given_up(string own, string newer, string text)
    {
        (await _kernel.OpenAsync()).Dispose();
        File.Move(Path.Combine(_kernel.Pins, own), Path.Combine(_kernel.Pins, newer));
        uint[] links = LinkIds();
        string[] pins = Pins();

        var refused = await Assert.ThrowsAsync<DatapathException>(() => _kernel.OpenAsync());
        Assert.Contains(text, refused.Message, StringComparison.Ordinal);
        Assert.Contains("'ebpflb cleanup'", refused.Message, StringComparison.Ordinal);
        Assert.Equal(links, LinkIds());
        Assert.Equal(pins, Pins());

        using (var directory = PinDirectory.TryOpen(_kernel.BpfFs)!)
            Cleanup.Run(directory);
        using var datapath = await _kernel.OpenAsync();
        Assert.Empty(datapath.Maps.Services.ReadAll());
        Assert.DoesNotContain(Path.Combine(_kernel.Pins, newer), Pins());
    }

    [PrivilegedFact]
    public async Task S142_maps_grow_under_an_open_datapath()
    {
        using var datapath = await _kernel.OpenAsync(Small);
        Write(datapath.Maps);
        uint[] links = LinkIds();
        string programs = datapath.ProgramDirectory;
        var result = await datapath.ResizeAsync(Large, CancellationToken.None);
        Assert.NotEqual(programs, datapath.ProgramDirectory);
        Assert.True(result.Copied > Flows, $"{result.Copied} copied");
        AssertHolds(datapath.Maps, Large);
        AssertServes();
        Assert.Equal(links, LinkIds());
        AssertTidy();

        // The maps are those that are pinned.
        Assert.True(datapath.Maps.Services.Put(4711, default).Succeeded);
        datapath.Maps.Slots.Write(100, [1, 2, 3]);
        using var pinned = BpfMap.OpenPinned(Path.Combine(_kernel.Pins, MapNames.Services));
        Assert.True(pinned.TryLookup(4711u, out ServiceValue _));
        using var slots = BpfMap.OpenPinned(Path.Combine(_kernel.Pins, MapNames.Slots));
        Assert.True(slots.TryLookup(102u, out uint third) && third == 3);
    }

    [PrivilegedFact]
    public async Task S142_a_size_that_is_refused_changes_nothing()
    {
        using var datapath = await _kernel.OpenAsync(Small);
        Write(datapath.Maps);
        string programs = datapath.ProgramDirectory;
        var refused = await Assert.ThrowsAsync<DatapathException>(
            () => datapath.ResizeAsync(new Dictionary<string, uint> { [MapNames.Services] = 10 }, CancellationToken.None));
        Assert.Contains("services_v1 with 10 entries does not take what services_v1 holds (E2BIG)", refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<DatapathException>(
            () => datapath.ResizeAsync(new Dictionary<string, uint> { [MapNames.Conntrack] = uint.MaxValue }, CancellationToken.None));
        Assert.Equal(programs, datapath.ProgramDirectory);
        AssertHolds(datapath.Maps, Small);
        AssertServes();
        AssertTidy();
    }

    [PrivilegedFact]
    public async Task A_smaller_size_is_taken_if_the_entries_fit_and_else_left()
    {
        using (var datapath = await _kernel.OpenAsync(Large))
            Write(datapath.Maps);
        using (var datapath = await _kernel.OpenAsync(Small))
            AssertHolds(datapath.Maps, Small);
        var log = new WarningLog<Loading.Datapath>();
        var tiny = Small.ToDictionary(size => size.Key, _ => 10u);
        using (var datapath = await Loading.Datapath.OpenAsync(
            _kernel.Options with { MapSizes = tiny }, new Linux.Processes.Bpftool(Linux.Processes.Bpftool.Locate(null), new()), log,
            CancellationToken.None))
            AssertHolds(datapath.Maps, Small);
        Assert.Equal(Small.Count, log.Lines.Count);
        Assert.Contains(
            $"conntrack_v1 keeps room for {RoomForFlows} entries: 500 are taken, and --map-size conntrack_v1=10 has not room for them", log.Lines);
        AssertTidy();
    }

    [PrivilegedFact]
    public async Task A_map_that_forgets_what_is_old_is_not_made_so_small_that_it_would()
    {
        using (var datapath = await _kernel.OpenAsync(Large))
            Write(datapath.Maps);
        var narrow = new Dictionary<string, uint> { [MapNames.Conntrack] = Flows, [MapNames.Affinity] = RoomForFlows - 1 };
        using (var datapath = await _kernel.OpenAsync(narrow))
            AssertHolds(datapath.Maps, Large);
        var tight = new Dictionary<string, uint> { [MapNames.Conntrack] = RoomForFlows, [MapNames.Affinity] = RoomForFlows };
        using (var datapath = await _kernel.OpenAsync(tight))
            AssertHolds(datapath.Maps, tight);
    }

    private static ConntrackKey Key(int number) => new()
    {
        Source = Address.Parse($"192.0.2.{number % 250}"),
        SourcePort = new BigEndian16((ushort)number),
        Protocol = Protocol.Tcp,
    };

    private static ConntrackValue Flow(uint seen) => new() { Seen = seen, Flags = ConntrackFlags.Data, BackendId = 3 };

    private static ConntrackValue Get(IBpfMap<ConntrackKey, ConntrackValue> map, ConntrackKey key)
    {
        Assert.True(map.TryGet(key, out var value), $"{key} is gone");
        return value;
    }

    private static void Write(KernelMaps maps)
    {
        for (int i = 0; i < Flows; i++)
        {
            Assert.True(maps.Conntrack.Put(Key(i), Flow(5)).Succeeded);
            Assert.True(maps.Affinity.Put(new AffinityKey { ServiceId = (uint)i }, new AffinityValue { BackendId = 3, LastUsedNs = 4 }).Succeeded);
        }

        for (uint i = 1; i <= 40; i++)
            Assert.True(maps.Services.Put(i, new ServiceValue { AffinityTimeoutSeconds = i }).Succeeded);
        for (uint i = 1; i <= 30; i++)
        {
            var range = Sync.Encoding.Range(AddressPrefix.Parse($"10.{i}.0.0/16"), i);
            Assert.True(maps.SourceRanges.Put(range, default).Succeeded);
        }

        maps.Slots.Write(3, [5, 0, 7]);
        maps.Slots.Write(60, [9]);
    }

    private static void AssertHolds(KernelMaps maps, Dictionary<string, uint> sizes)
    {
        Assert.All(sizes, size => Assert.Equal(size.Value, maps.MaxEntriesOf(size.Key)));
        Assert.Equal(Flows, maps.Conntrack.ReadAll().Count(entry => entry.Value == Flow(5)));
        Assert.Equal(Flows, maps.Affinity.ReadAll().Count);
        Assert.Equal(40, maps.Services.ReadAll().Count(entry => entry.Value.AffinityTimeoutSeconds == entry.Key));
        Assert.Equal(30, maps.SourceRanges.ReadAll().Count);
        uint[] slots = new uint[61];
        maps.Slots.Read(0, slots);
        Assert.Equal(["3=5", "5=7", "60=9"], slots.Select((slot, i) => slot == 0 ? "" : $"{i}={slot}").Where(text => text.Length > 0));
    }

    // Whatever programs are in place, each finds everything in its maps.
    private void AssertServes()
    {
        foreach (var hook in SocketHook.All)
        {
            using var link = BpfLink.OpenPinned(Path.Combine(_kernel.Pins, "links", hook.Program));
            using var program = BpfProgram.FromId(link.Info.ProgramId);
            foreach (uint id in program.Info.MapIds)
            {
                using var map = BpfMap.FromId(id);
                if (map.Info.Name == MapNames.Services)
                    Assert.Equal(40ul, MapCopy.Used(map));
                if (map.Info.Name == MapNames.Slots)
                    Assert.Equal(61ul, MapCopy.Used(map));
                if (map.Info.Name == MapNames.Affinity)
                    Assert.Equal((ulong)Flows, MapCopy.Used(map));
            }
        }
    }

    private void AssertTidy()
    {
        Assert.Equal(
            MapNames.All.Concat(["links", "programs"]).Select(name => Path.Combine(_kernel.Pins, name)).Order(StringComparer.Ordinal), Pins());
        Assert.Single(Directory.GetDirectories(Path.Combine(_kernel.Pins, "programs")));
    }

    private string[] Pins() => [.. Directory.GetFileSystemEntries(_kernel.Pins).Order(StringComparer.Ordinal)];

    private uint[] LinkIds() =>
    [
        .. SocketHook.All.Select(hook =>
        {
            using var link = BpfLink.OpenPinned(Path.Combine(_kernel.Pins, "links", hook.Program));
            return link.Info.Id;
        }),
    ];

    // As by SIGKILL: nothing that comes after it is done, but for what the kernel does.
    private sealed class Killed : Exception;
}
