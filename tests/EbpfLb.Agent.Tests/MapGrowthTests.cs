// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Migration;

namespace EbpfLb.Agent.Tests;

public sealed class MapGrowthTests
{
    private static readonly MapGrowthOptions Options = new() { MaxEntries = 4000, RetryInterval = TimeSpan.FromSeconds(60) };

    private readonly Dictionary<string, uint> _sizes = new()
    {
        [MapNames.Services] = 1000,
        [MapNames.Backends] = 2500,
        [MapNames.Vips] = 1000,
    };

    private readonly List<string> _calls = [];
    private readonly ManualTime _time = new();
    private readonly WarningLog<MapGrowth> _log = new();
    private readonly MapGrowth _growth;
    private Exception? _failure;

    public MapGrowthTests()
    {
        _growth = new MapGrowth(ResizeAsync, map => _sizes[map], new HashSet<string> { MapNames.Vips }, Options, _time, _log);
    }

    [Fact]
    public async Task S142_what_fills_has_room_for_twice_as_much_and_the_rest_stays()
    {
        Note(MapNames.Services, 800);
        Note(MapNames.Backends, 1999);
        await RunAsync();
        Assert.Equal(["services_v1=2000"], _calls);
    }

    [Fact]
    public async Task S142_what_was_refused_as_a_whole_finds_room_as_well()
    {
        _growth.Refused(MapNames.Backends);
        await RunAsync();
        Assert.Equal(["backends_v1=4000"], _calls);
    }

    [Fact]
    public async Task What_an_operator_has_chosen_stays()
    {
        Note(MapNames.Vips, 1000);
        _growth.Refused(MapNames.Vips);
        await RunAsync();
        Assert.Empty(_calls);
    }

    [Fact]
    public async Task Nothing_grows_beyond_its_ceiling()
    {
        Note(MapNames.Backends, 2500);
        await RunAsync();
        Note(MapNames.Backends, 4000);
        await RunAsync();
        Assert.Equal(["backends_v1=4000"], _calls);
    }

    [Fact]
    public async Task What_was_noted_of_the_map_before_asks_for_nothing()
    {
        Note(MapNames.Services, 950);
        await RunAsync();
        _growth.Note(new MapFill(MapNames.Services, 950, 1000));
        await RunAsync();
        Assert.Single(_calls);
    }

    [Fact]
    public async Task Several_grow_at_once_and_whoever_waits_is_told()
    {
        int due = 0;
        _growth.Due = () => due++;
        var grown = new List<string>();
        _growth.Grown = sizes => grown.AddRange(sizes.Keys.Order(StringComparer.Ordinal));
        Note(MapNames.Services, 1000);
        Note(MapNames.Services, 1000);
        Note(MapNames.Backends, 2500);
        await RunAsync();
        Assert.Equal(["backends_v1=4000,services_v1=2000"], _calls);
        Assert.Equal([MapNames.Backends, MapNames.Services], grown);
        Assert.Equal(2, due);
    }

    [Fact]
    public async Task A_refusal_is_a_problem_told_once_and_tried_again_after_a_while()
    {
        _failure = new DatapathException("there is no memory.");
        Note(MapNames.Services, 1000);
        await RunAsync();
        Note(MapNames.Services, 1000);
        await RunAsync();
        Assert.Single(_calls);
        var problem = Assert.Single(_growth.Problems);
        Assert.Equal(
            (MapNames.Services, "services_v1=2000 could not be had, so these maps stay as large as they are: there is no memory. It is tried again."),
            (problem.Subject, problem.Message));

        _time.Advance(Options.RetryInterval);
        Note(MapNames.Services, 1000);
        await RunAsync();
        Assert.Equal(2, _calls.Count);
        Assert.Single(_log.Lines);

        _failure = null;
        _time.Advance(Options.RetryInterval);
        Note(MapNames.Services, 1000);
        await RunAsync();
        Assert.Empty(_growth.Problems);
        Assert.Equal(2000u, _sizes[MapNames.Services]);
    }

    [Fact]
    public async Task What_stopped_halfway_ends_the_agent()
    {
        _failure = new Linux.LinuxException("update a link", Linux.Errno.EPERM);
        Note(MapNames.Services, 1000);
        await Assert.ThrowsAsync<Linux.LinuxException>(RunAsync);
    }

    private void Note(string map, ulong used) => _growth.Note(new MapFill(map, used, _sizes[map]));

    private Task RunAsync() => _growth.RunAsync(CancellationToken.None);

    private Task<MigrationResult> ResizeAsync(IReadOnlyDictionary<string, uint> sizes, CancellationToken stopping)
    {
        _calls.Add(string.Join(',', sizes.OrderBy(size => size.Key, StringComparer.Ordinal).Select(size => $"{size.Key}={size.Value}")));
        if (_failure is not null)
            throw _failure;

        foreach (var (map, size) in sizes)
            _sizes[map] = size;
        return Task.FromResult(default(MigrationResult));
    }
}
