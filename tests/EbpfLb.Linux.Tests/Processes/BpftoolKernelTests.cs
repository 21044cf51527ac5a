// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using System.Text.Json;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Files;
using EbpfLb.Linux.Processes;

namespace EbpfLb.Linux.Tests.Processes;

/// <summary>The real bpftool, with an object that clang makes.</summary>
public sealed class BpftoolKernelTests
{
    private static readonly Dictionary<string, string> NoMaps = [];

    private readonly ProcessRunner _runner = new();

    [PrivilegedFact]
    public async Task A_second_load_uses_the_live_maps()
    {
        using PrivateBpffs bpffs = new();
        using MemoryFile file = await Compile();
        Bpftool bpftool = Real();
        await bpftool.LoadAllAsync(file.PathForChild, bpffs.Pin("first"), NoMaps, bpffs.Path, Eventually.Timeout());
        using BpfMap pairs = BpfMap.OpenPinned(bpffs.Pin("pairs_v1"));
        Assert.Equal(Errno.None, pairs.Update(1u, 11ul));

        Dictionary<string, string> live = new()
        {
            ["pairs_v1"] = bpffs.Pin("pairs_v1"),
            ["numbers_v1"] = bpffs.Pin("numbers_v1"),
        };
        await bpftool.LoadAllAsync(file.PathForChild, bpffs.Pin("second"), live, null, Eventually.Timeout());

        using BpfProgram before = BpfProgram.OpenPinned(Path.Combine(bpffs.Pin("first"), "connect4"));
        using BpfProgram after = BpfProgram.OpenPinned(Path.Combine(bpffs.Pin("second"), "connect4"));
        using BpfProgram six = BpfProgram.OpenPinned(Path.Combine(bpffs.Pin("second"), "connect6"));
        Assert.NotEqual(before.Info.Id, after.Info.Id);
        Assert.Equal(before.Info.MapIds.Order(), after.Info.MapIds.Order());
        Assert.Equal([pairs.Info.Id], six.Info.MapIds);
        Assert.True(pairs.TryLookup(1u, out ulong value));
        Assert.Equal(11ul, value);
    }

    [PrivilegedFact]
    public async Task Some_live_maps_and_a_directory_for_the_others_go_together()
    {
        using PrivateBpffs bpffs = new();
        using MemoryFile file = await Compile();
        using BpfMap pairs = BpfMap.Create(new("pairs_v1", BpfMapType.Hash, sizeof(uint), sizeof(ulong), 64, BpfMapFlags.NoPrealloc));
        pairs.Pin(bpffs.Pin("live"));
        Directory.CreateDirectory(bpffs.Pin("maps"));

        await Real().LoadAllAsync(
            file.PathForChild,
            bpffs.Pin("programs"),
            new Dictionary<string, string> { ["pairs_v1"] = bpffs.Pin("live") },
            bpffs.Pin("maps"),
            Eventually.Timeout());

        using BpfMap again = BpfMap.OpenPinned(Path.Combine(bpffs.Pin("maps"), "pairs_v1"));
        using BpfMap numbers = BpfMap.OpenPinned(Path.Combine(bpffs.Pin("maps"), "numbers_v1"));
        Assert.Equal(pairs.Info.Id, again.Info.Id);
        Assert.Equal(8u, numbers.Info.MaxEntries);
    }

    [PrivilegedFact]
    public async Task A_map_is_created_with_the_types_of_another()
    {
        using PrivateBpffs bpffs = new();
        using MemoryFile file = await Compile();
        await Real().LoadAllAsync(file.PathForChild, bpffs.Pin("programs"), NoMaps, bpffs.Path, Eventually.Timeout());
        using BpfMap pairs = BpfMap.OpenPinned(bpffs.Pin("pairs_v1"));
        BpfMapInfo typed = pairs.Info;
        Assert.NotEqual(0u, typed.BtfId);

        using BpfMap larger = BpfMap.Create(new(
            "pairs_v1", typed.Type, typed.KeySize, typed.ValueSize, 4096, typed.Flags, typed.BtfId, typed.BtfKeyTypeId, typed.BtfValueTypeId));

        Assert.Equal(typed with { Id = larger.Info.Id, MaxEntries = 4096 }, larger.Info);
    }

    [PrivilegedFact]
    public async Task A_file_that_is_no_object_is_refused()
    {
        using PrivateBpffs bpffs = new();
        using MemoryFile file = MemoryFile.Create("no-object", "\u007fELF and no more"u8);

        BpftoolException exception = await Assert.ThrowsAsync<BpftoolException>(
            () => Real().LoadAllAsync(file.PathForChild, bpffs.Pin("programs"), NoMaps, bpffs.Path, Eventually.Timeout()));
        Assert.NotEqual("", exception.StdErr);
        Assert.False(Directory.Exists(bpffs.Pin("programs")));
    }

    [PrivilegedFact]
    public async Task Nothing_is_mounted_on_a_directory_that_is_no_BPF_file_system()
    {
        using TemporaryDirectory directory = new();
        using MemoryFile file = await Compile();

        await Assert.ThrowsAsync<BpftoolException>(
            () => Real().LoadAllAsync(file.PathForChild, directory.Combine("programs"), NoMaps, null, Eventually.Timeout()));
        Assert.DoesNotContain(Mounts.Read(), mount => mount.MountPoint.StartsWith(directory.Path, StringComparison.Ordinal));
    }

    [PrivilegedFact]
    public async Task The_types_of_an_object_are_read_through_a_memory_file()
    {
        using MemoryFile file = await Compile();

        using JsonDocument types = await Real().DumpBtfAsync(file.PathForChild, Eventually.Timeout());

        JsonElement pair = Assert.Single(
            types.RootElement.GetProperty("types").EnumerateArray(),
            type => type.GetProperty("kind").ValueEquals("STRUCT") && type.GetProperty("name").ValueEquals("pair"));
        Assert.Equal(8, pair.GetProperty("size").GetInt32());
        Assert.Equal(
            [("left", 0), ("right", 32)],
            pair.GetProperty("members").EnumerateArray()
                .Select(member => (member.GetProperty("name").GetString()!, member.GetProperty("bits_offset").GetInt32())));
    }

    [PrivilegedFact]
    public async Task The_real_tool_tells_its_version()
        => Assert.Matches(@"^v\d+\.\d+", await Real().VersionAsync(Eventually.Timeout()));

    private Bpftool Real() => new(Bpftool.Locate(null), _runner);

    private async Task<MemoryFile> Compile()
    {
        using TemporaryDirectory directory = new();
        string source = Path.Combine(AppContext.BaseDirectory, "Objects", "two_maps.bpf.c");
        string machine = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "aarch64" : "x86_64";
        ProcessResult result = await _runner.RunAsync(
            "clang",
            ["-O2", "-g", "-target", "bpf", $"-I/usr/include/{machine}-linux-gnu", "-c", source, "-o", directory.Combine("o.o")],
            Eventually.Timeout());
        Assert.True(result.ExitCode == 0, result.StdErr);
        return MemoryFile.Create("two_maps.bpf.o", await File.ReadAllBytesAsync(directory.Combine("o.o")));
    }
}
