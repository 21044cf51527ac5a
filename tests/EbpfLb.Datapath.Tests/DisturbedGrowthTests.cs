// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Audit;
using EbpfLb.Datapath.Conntrack;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Devices;
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Migration;
using EbpfLb.Datapath.Sync;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Files;
using EbpfLb.LoadBalancing.Desired;

namespace EbpfLb.Datapath.Tests;

/// <summary>Maps that are to grow at run time while somebody removes pins, or what is done fails.</summary>
public sealed class DisturbedGrowthTests : IDisposable
{
    private const int Entries = 40;

    private static readonly Dictionary<string, uint> Small = new() { [MapNames.Services] = 50 };
    private static readonly Dictionary<string, uint> Large = new() { [MapNames.Services] = 100 };

    private readonly KernelDatapath _kernel = new();
    private Action<MigrationStep> _reached = _ => { };

    public void Dispose() => _kernel.Dispose();

    [PrivilegedFact]
    public async Task S142_a_map_whose_pin_was_removed_grows_with_its_entries()
    {
        using var datapath = await OpenAsync();
        File.Delete(Pin(MapNames.Services));
        File.Delete(Pin(MapNames.Vips));
        File.Delete(Path.Combine(datapath.LinkDirectory, "sock_connect4"));
        await datapath.ResizeAsync(Large, CancellationToken.None);
        AssertHolds(datapath.Maps, 100);
        Assert.Empty(datapath.Installation.PutBack());
    }

    [PrivilegedTheory]
    [InlineData(nameof(MigrationStep.Staged))]
    [InlineData(nameof(MigrationStep.Loaded))]
    public async Task S142_a_pin_that_is_removed_meanwhile_leaves_everything_as_it_was(string name)
    {
        using var datapath = await OpenAsync();
        _reached = step =>
        {
            if (step == Enum.Parse<MigrationStep>(name))
                File.Delete(Pin(MapNames.Services));
        };
        await Assert.ThrowsAsync<DatapathException>(() => datapath.ResizeAsync(Large, CancellationToken.None));
        datapath.Installation.PutBack();
        AssertHolds(datapath.Maps, 50);
        AssertPinned(50);

        _reached = _ => { };
        await datapath.ResizeAsync(Large, CancellationToken.None);
        AssertHolds(datapath.Maps, 100);
        AssertPinned(100);
    }

    [PrivilegedTheory]
    [InlineData(nameof(MigrationStep.Committed))]
    [InlineData(nameof(MigrationStep.SwitchedOne))]
    [InlineData(nameof(MigrationStep.PinnedOne))]
    [InlineData(nameof(MigrationStep.Pinned))]
    public async Task S140_after_a_growth_that_stopped_halfway_nothing_is_put_back_and_the_next_start_ends_it(string name)
    {
        using (var datapath = await OpenAsync())
        {
            _reached = step =>
            {
                if (step == Enum.Parse<MigrationStep>(name))
                    throw new IOException("no more");
            };
            await Assert.ThrowsAsync<IOException>(() => datapath.ResizeAsync(Large, CancellationToken.None));
            var pins = Directory.GetFileSystemEntries(_kernel.Pins, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();
            Assert.Throws<DatapathException>(() => datapath.Use(datapath.Installation.PutBack));
            await Assert.ThrowsAsync<DatapathException>(() => datapath.ResizeAsync(Large, CancellationToken.None));
            Assert.Equal(pins, Directory.GetFileSystemEntries(_kernel.Pins, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal));
        }

        using var next = await _kernel.OpenAsync();
        AssertHolds(next.Maps, 100);
        AssertPinned(100);
    }

    [PrivilegedTheory]
    [InlineData("sock_connect4")]
    [InlineData("tc_pod")]
    public async Task S142_a_program_that_is_removed_before_it_is_in_place_leaves_everything_as_it_was(string program)
    {
        using var datapath = await OpenAsync();
        _reached = step =>
        {
            if (step == MigrationStep.Loaded)
                File.Delete(Path.Combine(Directory.GetDirectories(Pin("programs")).Single(path => path != datapath.ProgramDirectory), program));
        };
        var refused = await Assert.ThrowsAsync<DatapathException>(() => datapath.ResizeAsync(Large, CancellationToken.None));
        Assert.Contains($"/{program} is gone", refused.Message, StringComparison.Ordinal);
        Assert.Empty(datapath.Use(datapath.Installation.PutBack));
        AssertHolds(datapath.Maps, 50);
        AssertPinned(50);
    }

    [PrivilegedFact]
    public async Task S142_programs_that_cannot_be_removed_after_a_growth_stay()
    {
        using var datapath = await OpenAsync();
        string left = datapath.ProgramDirectory, mounted = Path.Combine(left, "mounted");
        Directory.CreateDirectory(mounted);
        Mounts.MountBpf(mounted);
        try
        {
            await datapath.ResizeAsync(Large, CancellationToken.None);
            AssertHolds(datapath.Maps, 100);
            AssertPinned(100);
            Assert.True(Directory.Exists(left));
        }
        finally
        {
            Mounts.Unmount(mounted, detach: true);
        }

        datapath.Dispose();
        (await _kernel.OpenAsync()).Dispose();
        Assert.False(Directory.Exists(left));
    }

    [PrivilegedFact]
    public async Task S142_what_a_full_map_refused_is_there_with_the_first_run_after_it_grew()
    {
        using var datapath = await _kernel.OpenAsync(new Dictionary<string, uint> { [MapNames.Services] = 1 });
        var cluster = new Cluster(datapath.Maps);
        cluster.Apply(Cluster.Service("a", "10.96.0.10"), Cluster.Slice("a", "10.244.1.11"));
        Assert.Single(cluster.Apply(Cluster.Service("b", "10.96.0.11"), Cluster.Slice("b", "10.244.1.12")).Failures);
        Assert.Single(cluster.Apply(retry: false).Failures);
        await datapath.ResizeAsync(Large, CancellationToken.None);
        Assert.Empty(cluster.Apply(retry: false).Failures);
        Assert.Equal(2, datapath.Maps.Services.ReadAll().Count);
    }

    [PrivilegedFact]
    public async Task An_audit_from_outside_sees_the_maps_that_have_grown_meanwhile()
    {
        using var datapath = await OpenAsync();
        using var audit = DatapathAudit.Open(_kernel.BpfFs);
        int before = Divergences();
        await datapath.ResizeAsync(Large, CancellationToken.None);
        datapath.Maps.Services.Put(4711, default);
        Assert.Equal(before + 1, Divergences());

        int Divergences() => audit.Find(
            new DesiredChanges([], [], [], []), new DatapathSyncOptions(), new DeviceOptions(), new FlowSettings())
            .Count(found => found.Where == MapNames.Services);
    }

    private async Task<Loading.Datapath> OpenAsync()
    {
        var datapath = await KernelDatapath.OpenAsync(_kernel.Options with { MapSizes = Small, MigrationReached = step => _reached(step) });
        for (uint i = 1; i <= Entries; i++)
            Assert.True(datapath.Maps.Services.Put(i, new ServiceValue { AffinityTimeoutSeconds = i }).Succeeded);
        return datapath;
    }

    private static void AssertHolds(KernelMaps maps, uint size)
    {
        Assert.Equal(size, maps.Services.MaxEntries);
        Assert.Equal(Entries, maps.Services.ReadAll().Count);
    }

    private void AssertPinned(uint size)
    {
        using var map = BpfMap.OpenPinned(Pin(MapNames.Services));
        Assert.Equal((size, (ulong)Entries), (map.Info.MaxEntries, MapCopy.Used(map)));
        Assert.False(Directory.Exists(Pin("staging")));
    }

    private string Pin(string name) => Path.Combine(_kernel.Pins, name);
}
