// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Audit;
using EbpfLb.Datapath.Inspection;
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Sync;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Tests;

/// <summary>What somebody else writes to the maps is found and undone, entry by entry, by who wrote them and by who did not.</summary>
public sealed class AuditTests
{
    private Func<MapWrite?> _fault = () => null;

    public static TheoryData<int> Tampers => [.. Enumerable.Range(0, Tamper.All.Count)];

    [Theory]
    [MemberData(nameof(Tampers))]
    public void One_entry_that_somebody_changed_is_one_divergence_and_is_as_it_was_afterwards(int number)
    {
        var maps = new InMemoryMaps();
        FindAndMend(maps, Start(maps), Tamper.All[number]);
    }

    [PrivilegedFact]
    public async Task So_it_is_on_maps_of_the_kernel()
    {
        using var kernel = new KernelDatapath();
        using var datapath = await kernel.OpenAsync();
        var sync = Start(datapath.Maps);
        foreach (var tamper in Tamper.All)
            FindAndMend(datapath.Maps, sync, tamper);
    }

    [Theory]
    [MemberData(nameof(Tampers))]
    public void Who_has_no_memory_of_the_maps_finds_it_from_what_services_should_make_of_them(int number)
    {
        var tamper = Tamper.All[number];
        var maps = new InMemoryMaps();
        var sync = Start(maps);
        // Other ids than a first start gives.
        sync.Apply(new DesiredChanges([], [new ObjectName("shop", "web")], [], []), complete: true);
        sync.Apply(Tamper.Changes, complete: true);
        var expected = MapComparison.Expected(Tamper.Changes, new DatapathSyncOptions(), maps);
        Assert.Empty(MapComparison.Compare(expected, maps));

        tamper.Do(maps);
        var found = MapComparison.Compare(expected, maps);
        // A service without its name, or its entry, is another; and who names one that is gone differs as well.
        if (tamper.Map is MapNames.ServiceNames or MapNames.Services or MapNames.Backends)
            Assert.NotEmpty(found);
        else
            Assert.Equal((tamper.Map, tamper.Kind), (Assert.Single(found).Where, found[0].Kind));
    }

    [Fact]
    public void A_backend_that_is_missing_is_named_and_so_are_the_slots_that_lead_to_it()
    {
        var maps = new InMemoryMaps();
        Start(maps);
        var expected = MapComparison.Expected(Tamper.Changes, new DatapathSyncOptions(), maps);
        uint id = maps.Backends.ReadAll().Single(entry => entry.Value.Address == Address.Parse("fd00:244::2")).Key;
        maps.Backends.Delete(id);
        Assert.Equal(
            [
                $"slots_v1: kube-system/dns (UDP, IPv6) cluster of kube-system/dns (UDP, IPv6) is changed (backend id {id}, which does not exist, "
                + "should be [fd00:244::2]:53)",
                "backends_v1: [fd00:244::2]:53 of kube-system/dns (UDP, IPv6) of kube-system/dns (UDP, IPv6) is missing (nothing, should be UDP, InCluster)",
                "counters_v1: [fd00:244::2]:53 of kube-system/dns (UDP, IPv6) of kube-system/dns (UDP, IPv6) is missing",
                $"counters_v1: id {id} should not be there",
            ],
            MapComparison.Compare(expected, maps).Select(found => found.ToString()));
    }

    [Fact]
    public void All_maps_emptied_at_once_are_filled_again()
    {
        var maps = new InMemoryMaps();
        var sync = Start(maps);
        string before = Text(maps);
        foreach (var (key, _) in maps.Frontends.ReadAll())
            maps.Frontends.Delete(key);
        foreach (var (key, _) in maps.Services.ReadAll())
            maps.Services.Delete(key);
        foreach (var (key, _) in maps.Backends.ReadAll())
            maps.Backends.Delete(key);
        var result = sync.Audit(MapImage.Read(maps));
        Assert.Equal((4 + 2 + 3, 0), (result.Divergences.Count, result.Left.Count));
        Assert.Equal(before, Text(maps));
    }

    [Fact]
    public void What_was_read_before_the_last_write_is_no_divergence()
    {
        var maps = new InMemoryMaps();
        var sync = Start(maps);
        var image = MapImage.Read(maps);
        sync.Apply(new DesiredChanges([], [new ObjectName("shop", "web")], [], []), complete: true);
        Assert.Empty(sync.Audit(image).Divergences);

        image = MapImage.Read(maps);
        sync.Apply(Tamper.Changes, complete: true);
        Assert.Empty(sync.Audit(image).Divergences);
    }

    [Fact]
    public void What_cannot_be_written_is_left_with_its_cause_and_mended_by_the_next_audit()
    {
        var maps = new InMemoryMaps(fault: () => _fault());
        var sync = Start(maps);
        string before = Text(maps);
        maps.Backends.Delete(maps.Backends.ReadAll()[0].Key);
        _fault = () => new MapWrite(MapError.OutOfMemory, "ENOMEM");
        var (found, cause) = Assert.Single(sync.Audit(MapImage.Read(maps)).Left);
        Assert.Equal((MapNames.Backends, "ENOMEM"), (found.Where, cause));

        _fault = () => null;
        var result = sync.Audit(MapImage.Read(maps));
        Assert.Equal((1, 0), (result.Divergences.Count, result.Left.Count));
        Assert.Equal(before, Text(maps));
    }

    [Fact]
    public void A_table_that_programs_read_is_not_written_to_but_replaced()
    {
        var maps = new InMemoryMaps();
        var sync = Start(maps);
        var (id, service) = maps.Services.ReadAll().Single(entry => entry.Value.Cluster.Count == 1);
        maps.Slots.Write(service.Cluster.Base, [4711]);
        Assert.Equal(1, sync.Audit(MapImage.Read(maps)).Repaired);
        Assert.True(maps.Services.TryGet(id, out var now));
        Assert.NotEqual(service.Cluster, now.Cluster);
        var slot = new uint[1];
        maps.Slots.Read(service.Cluster.Base, slot);
        Assert.Equal(4711u, slot[0]);
    }

    [Fact]
    public void The_marks_of_ids_are_kept()
    {
        var maps = new InMemoryMaps();
        var sync = Start(maps);
        var marks = (maps.Ids.LastServiceId, maps.Ids.LastBackendId);
        (maps.Ids.LastServiceId, maps.Ids.LastBackendId) = (0, 7777);
        Assert.Equal(2, sync.Audit(MapImage.Read(maps)).Repaired);
        Assert.Equal(marks, (maps.Ids.LastServiceId, maps.Ids.LastBackendId));
    }

    private static DatapathSync Start(ILbMaps maps)
    {
        var sync = DatapathSync.Restore(maps, new DatapathSyncOptions(), TimeProvider.System);
        Assert.True(sync.Apply(Tamper.Changes, complete: true).IsClean);
        Assert.Empty(sync.Audit(MapImage.Read(maps)).Divergences);
        return sync;
    }

    private static void FindAndMend(ILbMaps maps, DatapathSync sync, Tamper tamper)
    {
        string before = Text(maps);
        tamper.Do(maps);
        var result = sync.Audit(MapImage.Read(maps));
        var found = Assert.Single(result.Divergences);
        Assert.Equal((tamper.Map, tamper.Kind), (found.Where, found.Kind));
        Assert.Empty(result.Left);
        Assert.Equal(before, Text(maps));
        Assert.Empty(sync.Audit(MapImage.Read(maps)).Divergences);
    }

    private static string Text(ILbMaps maps)
    {
        var snapshot = DatapathSnapshot.Read(maps);
        Assert.Empty(snapshot.Inconsistencies);
        return MapText.Write(snapshot);
    }
}
