// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Live.Tests.Support;

/// <summary>Everything of ours in the kernel, by the ids it gave.</summary>
internal sealed record InstalledIds(IReadOnlyList<uint> Maps, IReadOnlyList<uint> Programs, IReadOnlyList<uint> Links)
{
    public static InstalledIds Read(string pins)
    {
        List<uint> maps = [], programs = [], links = [];
        foreach (string name in MapNames.All)
        {
            using var map = BpfMap.OpenPinned(Path.Combine(pins, name));
            maps.Add(map.Info.Id);
        }

        foreach (var hook in SocketHook.All)
        {
            using var link = BpfLink.OpenPinned(Path.Combine(pins, "links", hook.Program));
            using var program = BpfProgram.FromId(link.Info.ProgramId);
            links.Add(link.Info.Id);
            programs.Add(program.Info.Id);
            maps.AddRange(program.Info.MapIds.Except(maps));
        }

        return new InstalledIds(maps, programs, links);
    }

    public void AssertSame(InstalledIds other)
    {
        Assert.Equal(Maps, other.Maps);
        Assert.Equal(Programs, other.Programs);
        Assert.Equal(Links, other.Links);
    }

    /// <summary>The kernel frees some of it only after all who looked have left.</summary>
    public async Task AssertGoneAsync()
    {
        await Eventually.True(() => !BpfObjects.LinkIds().Intersect(Links).Any(), "no link of ours is left");
        await Eventually.True(() => !BpfObjects.ProgramIds().Intersect(Programs).Any(), "no program of ours is left");
        await Eventually.True(() => !BpfObjects.MapIds().Intersect(Maps).Any(), "no map of ours is left");
    }
}
