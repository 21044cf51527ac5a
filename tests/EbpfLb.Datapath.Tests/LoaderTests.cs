// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json;
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Processes;

namespace EbpfLb.Datapath.Tests;

public sealed class LoaderTests : IDisposable
{
    private readonly KernelDatapath _kernel = new();

    public void Dispose() => _kernel.Dispose();

    [PrivilegedFact]
    public async Task A_first_start_pins_every_map_and_attaches_every_program()
    {
        using var datapath = await _kernel.OpenAsync();

        Assert.All(MapNames.All, name => Assert.True(File.Exists(Path.Combine(_kernel.Pins, name)), name));
        Assert.All(SocketHook.All, hook => Assert.Single(BpfCgroup.QueryPrograms(_kernel.Cgroup.Directory, hook.AttachType, false, out _)));
        Assert.False(Directory.Exists(Path.Combine(_kernel.Pins, "staging")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_kernel.Pins));
    }

    [PrivilegedFact]
    public async Task Every_map_has_the_types_that_bpftool_prints()
    {
        using var datapath = await _kernel.OpenAsync(new Dictionary<string, uint> { [MapNames.Backends] = 100 });
        Assert.Equal(MapNames.All, datapath.Maps.Infos.Select(info => info.Name));
        Assert.All(datapath.Maps.Infos, info => Assert.True(info.BtfId != 0 && info.BtfValueTypeId != 0, info.Name));
        Assert.Equal(100u, datapath.Maps.Backends.MaxEntries);
    }

    [PrivilegedFact]
    public async Task A_restart_keeps_maps_programs_and_links()
    {
        uint[] Ids() =>
        [
            .. MapNames.All.Select(name => { using var map = BpfMap.OpenPinned(Path.Combine(_kernel.Pins, name)); return map.Info.Id; }),
            .. SocketHook.All.SelectMany(hook =>
            {
                using var link = BpfLink.OpenPinned(Path.Combine(_kernel.Pins, "links", hook.Program));
                return new[] { link.Info.Id, link.Info.ProgramId };
            }),
            .. EmbeddedObject.All.SelectMany(one => one.Programs).Select(ProgramId),
        ];

        (await _kernel.OpenAsync()).Dispose();
        uint[] before = Ids();
        (await _kernel.OpenAsync()).Dispose();
        Assert.Equal(before, Ids());
    }

    [PrivilegedFact]
    public async Task Programs_of_another_build_are_replaced_by_a_link_update()
    {
        (await _kernel.OpenAsync()).Dispose();
        string programs = Path.Combine(_kernel.Pins, "programs");
        Directory.Move(Directory.GetDirectories(programs).Single(), Path.Combine(programs, "0123456789abcdef"));
        using var link = BpfLink.OpenPinned(Path.Combine(_kernel.Pins, "links", "sock_connect4"));
        var before = link.Info;

        using var datapath = await _kernel.OpenAsync();
        Assert.Equal(before.Id, link.Info.Id);
        Assert.NotEqual(before.ProgramId, link.Info.ProgramId);
        Assert.DoesNotContain(Directory.GetDirectories(programs), path => path.EndsWith("0123456789abcdef", StringComparison.Ordinal));
    }

    [PrivilegedFact]
    public async Task A_program_that_is_missing_in_the_set_makes_the_whole_set_anew()
    {
        (await _kernel.OpenAsync()).Dispose();
        uint before = ProgramId("tc_egress");
        File.Delete(Path.Combine(Directory.GetDirectories(Path.Combine(_kernel.Pins, "programs")).Single(), "ct_sweep"));
        (await _kernel.OpenAsync()).Dispose();
        Assert.NotEqual(before, ProgramId("tc_egress"));
        Assert.NotEqual(0u, ProgramId("ct_sweep"));
    }

    [PrivilegedFact]
    public async Task A_program_that_the_datapath_works_without_may_be_refused_and_is_offered_again_at_the_next_start()
    {
        var log = new WarningLog<Loading.Datapath>();
        var options = new DatapathOptions
        {
            BpfFs = _kernel.BpfFs,
            Cgroup = _kernel.Cgroup.Path,
            MapSizes = new Dictionary<string, uint>(),
        };
        (await Loading.Datapath.OpenAsync(options, new WithoutIterators(), log, CancellationToken.None)).Dispose();
        Assert.StartsWith(
            "This kernel does not take sock_dead, which the datapath works without: ", Assert.Single(log.Lines), StringComparison.Ordinal);
        uint before = ProgramId("tc_egress");
        (await _kernel.OpenAsync()).Dispose();
        Assert.NotEqual(0u, ProgramId("sock_dead"));
        Assert.Equal(before, ProgramId("tc_egress"));
    }

    [PrivilegedFact]
    public async Task A_link_that_somebody_detached_is_put_back()
    {
        (await _kernel.OpenAsync()).Dispose();
        using (var link = BpfLink.OpenPinned(Path.Combine(_kernel.Pins, "links", "sock_connect4")))
            link.Detach();
        Assert.Empty(BpfCgroup.QueryPrograms(_kernel.Cgroup.Directory, BpfAttachType.CgroupInet4Connect, false, out _));

        using var datapath = await _kernel.OpenAsync();
        Assert.Single(BpfCgroup.QueryPrograms(_kernel.Cgroup.Directory, BpfAttachType.CgroupInet4Connect, false, out _));
    }

    [PrivilegedFact]
    public async Task A_second_agent_is_refused_and_told_who_holds_the_node()
    {
        using var first = await _kernel.OpenAsync();
        var refused = await Assert.ThrowsAsync<DatapathException>(() => _kernel.OpenAsync());
        Assert.Contains($"locked by process {Environment.ProcessId}", refused.Message, StringComparison.Ordinal);
    }

    [PrivilegedFact]
    public async Task A_map_of_another_shape_is_refused_before_a_program_is_loaded_over_it()
    {
        (await _kernel.OpenAsync()).Dispose();
        string pin = Path.Combine(_kernel.Pins, MapNames.Backends);
        File.Delete(pin);
        using (var other = BpfMap.Create(new BpfMapSpec(MapNames.Backends, BpfMapType.Hash, 4, 32, 16)))
            other.Pin(pin);

        var refused = await Assert.ThrowsAsync<DatapathException>(() => _kernel.OpenAsync());
        Assert.Contains("backends_v1 has keys of 4 and values of 32 bytes", refused.Message, StringComparison.Ordinal);
    }

    [PrivilegedFact]
    public async Task S192_A_directory_that_others_can_enter_is_refused()
    {
        Directory.CreateDirectory(_kernel.Pins, (UnixFileMode)0b111_101_101);
        var refused = await Assert.ThrowsAsync<DatapathException>(() => _kernel.OpenAsync());
        Assert.Contains("mode 0755", refused.Message, StringComparison.Ordinal);
    }

    [PrivilegedFact]
    public async Task S192_Pins_are_the_owners_alone()
    {
        (await _kernel.OpenAsync()).Dispose();
        const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(Owner | UnixFileMode.UserExecute, File.GetUnixFileMode(_kernel.Pins));
        string[] pins = Directory.GetFiles(_kernel.Pins, "*", SearchOption.AllDirectories);
        Assert.NotEmpty(pins);
        Assert.All(pins, pin => Assert.Equal(Owner, File.GetUnixFileMode(pin)));

        foreach (string pin in pins.Where(pin => Path.GetDirectoryName(pin) == _kernel.Pins))
        {
            // BPF_OBJ_GET itself is refused before that, with another error, where unprivileged_bpf_disabled is set.
            Assert.NotEqual(0, (await AsNobodyAsync("bpftool", "map", "show", "pinned", pin)).ExitCode);
            Assert.Contains("Permission denied", (await AsNobodyAsync("stat", pin)).StdErr, StringComparison.Ordinal);
        }
    }

    private static Task<ProcessResult> AsNobodyAsync(params string[] command) => new ProcessRunner().RunAsync(
        "setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", .. command], CancellationToken.None);

    [PrivilegedFact]
    public async Task S192_A_directory_of_somebody_else_is_refused()
    {
        Directory.CreateDirectory(_kernel.Pins, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await new ProcessRunner().RunAsync("chown", ["65534", _kernel.Pins], CancellationToken.None);
        var refused = await Assert.ThrowsAsync<DatapathException>(() => _kernel.OpenAsync());
        Assert.Contains("belongs to uid 65534", refused.Message, StringComparison.Ordinal);
    }

    [PrivilegedFact]
    public async Task S192_A_symbolic_link_in_place_of_the_directory_is_refused()
    {
        File.CreateSymbolicLink(_kernel.Pins, "/tmp");
        var refused = await Assert.ThrowsAsync<DatapathException>(() => _kernel.OpenAsync());
        Assert.Contains("symbolic link", refused.Message, StringComparison.Ordinal);
    }

    [PrivilegedFact]
    public async Task Cleanup_leaves_nothing_of_ours_and_keeps_what_is_not()
    {
        (await _kernel.OpenAsync()).Dispose();
        using (var foreign = BpfMap.Create(new BpfMapSpec("foreign", BpfMapType.Hash, 4, 4, 1)))
            foreign.Pin(Path.Combine(_kernel.Pins, "foreign"));

        using (var pins = PinDirectory.TryOpen(_kernel.BpfFs)!)
        {
            var result = Cleanup.Run(pins);
            Assert.Equal((8, EmbeddedObject.All.Sum(one => one.Programs.Count), MapNames.All.Count), (result.Links, result.Programs, result.Maps));
            Assert.Equal([Path.Combine(_kernel.Pins, "foreign")], result.Foreign);
        }

        Assert.All(SocketHook.All, hook => Assert.Empty(BpfCgroup.QueryPrograms(_kernel.Cgroup.Directory, hook.AttachType, false, out _)));
        File.Delete(Path.Combine(_kernel.Pins, "foreign"));
        using (var pins = PinDirectory.TryOpen(_kernel.BpfFs)!)
            Cleanup.Run(pins);
        Assert.False(Directory.Exists(_kernel.Pins));
        Assert.Null(PinDirectory.TryOpen(_kernel.BpfFs));
    }

    [PrivilegedFact]
    public async Task Cleanup_while_an_agent_runs_is_refused()
    {
        using var datapath = await _kernel.OpenAsync();
        using var pins = PinDirectory.TryOpen(_kernel.BpfFs)!;
        Assert.Throws<DatapathException>(() => Cleanup.Run(pins));
        Assert.Equal(Environment.ProcessId, pins.FindAgent());
    }

    [PrivilegedFact]
    public async Task Another_cgroup_whose_hook_is_held_leaves_what_served_in_place()
    {
        using var other = new ChildCgroup();
        (await _kernel.OpenAsync()).Dispose();
        string program = Path.Combine(Directory.GetDirectories(Path.Combine(_kernel.Pins, "programs")).Single(), "sock_connect4");
        // Without 'multi': nothing may join it.
        var attached = await new ProcessRunner().RunAsync(
            Bpftool.Locate(null), ["cgroup", "attach", other.Path, "connect4", "pinned", program], CancellationToken.None);
        Assert.Equal(0, attached.ExitCode);

        var refused = await Assert.ThrowsAsync<DatapathException>(() => _kernel.OpenAsync(cgroup: other.Path));
        Assert.Contains(other.Path, refused.Message, StringComparison.Ordinal);
        Assert.Contains("'sock_connect4'", refused.Message, StringComparison.Ordinal);
        Assert.All(SocketHook.All, hook => Assert.Single(BpfCgroup.QueryPrograms(_kernel.Cgroup.Directory, hook.AttachType, false, out _)));
    }

    [PrivilegedFact]
    public async Task Another_cgroup_takes_the_programs_over_from_the_first()
    {
        using var other = new ChildCgroup();
        (await _kernel.OpenAsync()).Dispose();
        using var datapath = await _kernel.OpenAsync(cgroup: other.Path);
        Assert.All(SocketHook.All, hook => Assert.Single(BpfCgroup.QueryPrograms(other.Directory, hook.AttachType, false, out _)));
        await Eventually.True(
            () => SocketHook.All.All(hook => BpfCgroup.QueryPrograms(_kernel.Cgroup.Directory, hook.AttachType, false, out _).Count == 0),
            "the first cgroup has no programs any more");
    }

    [PrivilegedFact]
    public async Task Programs_over_a_map_whose_pin_was_removed_are_loaded_again_over_the_new_one()
    {
        (await _kernel.OpenAsync()).Dispose();
        File.Delete(Path.Combine(_kernel.Pins, MapNames.Backends));
        using var datapath = await _kernel.OpenAsync();
        using var map = BpfMap.OpenPinned(Path.Combine(_kernel.Pins, MapNames.Backends));
        using var link = BpfLink.OpenPinned(Path.Combine(_kernel.Pins, "links", "sock_connect4"));
        using var program = BpfProgram.FromId(link.Info.ProgramId);
        Assert.Contains(map.Info.Id, program.Info.MapIds);
    }

    [PrivilegedFact]
    public async Task A_link_of_a_hook_this_version_does_not_use_is_removed()
    {
        (await _kernel.OpenAsync()).Dispose();
        string programs = Directory.GetDirectories(Path.Combine(_kernel.Pins, "programs")).Single();
        using (var program = BpfProgram.OpenPinned(Path.Combine(programs, "sock_connect4")))
        using (var link = BpfLink.AttachCgroup(program, _kernel.Cgroup.Directory, BpfAttachType.CgroupInet4Connect))
            link.Pin(Path.Combine(_kernel.Pins, "links", "sock_newer"));

        (await _kernel.OpenAsync()).Dispose();
        Assert.Single(BpfCgroup.QueryPrograms(_kernel.Cgroup.Directory, BpfAttachType.CgroupInet4Connect, false, out _));
    }

    [PrivilegedFact]
    public async Task Two_agents_cannot_hold_one_path_when_a_cleanup_came_between()
    {
        (await _kernel.OpenAsync()).Dispose();
        using var starting = PinDirectory.OpenOrCreate(_kernel.BpfFs);
        using (var pins = PinDirectory.TryOpen(_kernel.BpfFs)!)
            Cleanup.Run(pins);
        using var second = PinDirectory.OpenOrCreate(_kernel.BpfFs);
        second.Lock();
        Assert.Throws<DatapathException>(() => starting.Lock());
    }

    [PrivilegedFact]
    public async Task Whoever_looks_whether_an_agent_runs_keeps_none_from_starting()
    {
        (await _kernel.OpenAsync()).Dispose();
        var looking = PinDirectory.TryOpen(_kernel.BpfFs)!;
        Assert.False(looking.IsLockedByOthers());
        var starting = _kernel.OpenAsync();
        await Task.Delay(150);
        looking.Dispose();
        (await starting).Dispose();
    }

    private uint ProgramId(string name)
    {
        using var program = BpfProgram.OpenPinned(
            Path.Combine(Directory.GetDirectories(Path.Combine(_kernel.Pins, "programs")).Single(), name));
        return program.Info.Id;
    }

    // As on a kernel without BTF of its own.
    private sealed class WithoutIterators : IBpftool
    {
        private readonly Bpftool _bpftool = new(Bpftool.Locate(null), new ProcessRunner());

        public Task<string> VersionAsync(CancellationToken stopping) => _bpftool.VersionAsync(stopping);

        public Task<JsonDocument> DumpBtfAsync(string objectPath, CancellationToken stopping) => _bpftool.DumpBtfAsync(objectPath, stopping);

        public Task LoadAllAsync(
            string objectPath, string programDirectory, IReadOnlyDictionary<string, string> pinnedMaps, string? pinMapsDirectory,
            CancellationToken stopping) =>
            new FileInfo(objectPath).LinkTarget!.Contains("lb_sock_iter", StringComparison.Ordinal)
                ? throw new BpftoolException("bpftool", ["prog", "loadall"], 255, "failed to find kernel BTF type ID", "no BTF")
                : _bpftool.LoadAllAsync(objectPath, programDirectory, pinnedMaps, pinMapsDirectory, stopping);
    }
}
