// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Audit;
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Processes;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Tests;

/// <summary>Somebody removes pins and links of a running agent, or holds a hook before it comes.</summary>
public sealed class InstallationTests : IDisposable
{
    private readonly KernelDatapath _kernel = new();

    public void Dispose() => _kernel.Dispose();

    [PrivilegedFact]
    public async Task S170_Pins_that_are_removed_come_back_as_they_were()
    {
        using var datapath = await _kernel.OpenAsync();
        Assert.Empty(datapath.Installation.PutBack());
        datapath.Maps.Vips.Put(Address.Parse("10.96.0.10"), default);
        string program = Path.Combine(datapath.ProgramDirectory, "ct_sweep");
        string link = Path.Combine(datapath.LinkDirectory, "sock_connect4");
        var before = (MapId(MapNames.Vips), ProgramId(program), LinkId(link));
        File.Delete(Path.Combine(_kernel.Pins, MapNames.Vips));
        File.Delete(program);
        File.Delete(link);
        Assert.Single(ProgramsAt(SocketHook.All[0]));

        Assert.Equal(
            [$"pins: {MapNames.Vips} is missing", $"pins: programs/{Path.GetFileName(datapath.ProgramDirectory)}/ct_sweep is missing", "pins: links/sock_connect4 is missing"],
            datapath.Installation.PutBack().Select(found => found.ToString()));
        Assert.Equal(before, (MapId(MapNames.Vips), ProgramId(program), LinkId(link)));
        using var maps = KernelMaps.Open(_kernel.Pins, writable: false);
        Assert.Single(maps.Vips.ReadAll());
        Assert.Empty(datapath.Installation.PutBack());
    }

    [PrivilegedFact]
    public async Task S170_A_program_that_is_taken_off_its_hook_is_attached_again()
    {
        using var datapath = await _kernel.OpenAsync();
        using (var link = BpfLink.OpenPinned(Path.Combine(datapath.LinkDirectory, "sock_sendmsg6")))
            link.Detach();
        var hook = SocketHook.All.Single(hook => hook.Program == "sock_sendmsg6");
        Assert.Empty(ProgramsAt(hook));
        Assert.Equal(["links: sock_sendmsg6 is missing"], datapath.Installation.PutBack().Select(found => found.ToString()));
        Assert.Single(ProgramsAt(hook));
        Assert.Empty(datapath.Installation.PutBack());
    }

    [PrivilegedFact]
    public async Task S170_The_whole_directory_comes_back_and_with_it_the_lock()
    {
        using var datapath = await _kernel.OpenAsync();
        uint before = MapId(MapNames.Conntrack);
        Directory.Delete(_kernel.Pins, recursive: true);
        Assert.Equal("pins: the directory is missing", datapath.Installation.PutBack()[0].ToString());
        Assert.Equal(before, MapId(MapNames.Conntrack));
        Assert.All(SocketHook.All, hook => Assert.Single(ProgramsAt(hook)));
        await Assert.ThrowsAsync<DatapathException>(() => _kernel.OpenAsync());
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_kernel.Pins));
    }

    [PrivilegedFact]
    public async Task A_map_that_somebody_pinned_in_place_of_ours_makes_room()
    {
        using var datapath = await _kernel.OpenAsync();
        uint before = MapId(MapNames.Backends);
        string pin = Path.Combine(_kernel.Pins, MapNames.Backends);
        File.Delete(pin);
        using (var other = BpfMap.Create(new BpfMapSpec(MapNames.Backends, BpfMapType.Hash, 4, 24, 16)))
            other.Pin(pin);
        Assert.Single(datapath.Installation.PutBack());
        Assert.Equal(before, MapId(MapNames.Backends));
    }

    [PrivilegedTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task S168_A_hook_that_a_foreign_program_holds_is_a_problem_until_it_goes_and_the_other_family_is_served(bool atParent)
    {
        string held = _kernel.Cgroup.Path;
        string ours = atParent ? Path.Combine(held, "ours") : held;
        Directory.CreateDirectory(ours);
        try
        {
            using var elsewhere = new ChildCgroup();
            (await _kernel.OpenAsync(cgroup: elsewhere.Path)).Dispose();
            Directory.Delete(Path.Combine(_kernel.Pins, "links"), recursive: true);
            string pin = Path.Combine(Directory.GetDirectories(Path.Combine(_kernel.Pins, "programs")).Single(), "sock_connect4");
            await CgroupAsync("attach", held, pin);
            using (var datapath = await _kernel.OpenAsync(cgroup: ours))
            {
                var problem = Assert.Single(datapath.Installation.Problems);
                Assert.Equal(ours, problem.Subject);
                Assert.StartsWith(
                    $"CgroupInet4Connect of cgroup {ours} is held by program {ProgramId(pin)} 'sock_connect4' of cgroup {held}, attached without "
                    + "BPF_F_ALLOW_MULTI", problem.Message, StringComparison.Ordinal);
                Assert.Equal(4, SocketHook.All.Count(hook => File.Exists(Path.Combine(datapath.LinkDirectory, hook.Program))));
                Assert.All(SocketHook.All.Where(hook => hook.IsIPv6), hook => Assert.True(File.Exists(Path.Combine(datapath.LinkDirectory, hook.Program))));
                Assert.Empty(datapath.Installation.PutBack());

                await CgroupAsync("detach", held, pin);
                datapath.Installation.PutBack();
                Assert.Empty(datapath.Installation.Problems);
                Assert.All(SocketHook.All, hook => Assert.True(File.Exists(Path.Combine(datapath.LinkDirectory, hook.Program))));
            }

            using var pins = PinDirectory.TryOpen(_kernel.BpfFs)!;
            Cleanup.Run(pins);
        }
        finally
        {
            if (atParent)
                Directory.Delete(ours);
        }
    }

    [PrivilegedFact]
    public async Task Pins_that_others_may_read_and_programs_that_are_missing_are_found_from_outside()
    {
        using var datapath = await _kernel.OpenAsync();
        File.Delete(Path.Combine(datapath.ProgramDirectory, "tc_pod"));
        File.SetUnixFileMode(Path.Combine(_kernel.Pins, MapNames.Vips), UnixFileMode.UserRead | UnixFileMode.OtherRead);
        using (var link = BpfLink.OpenPinned(Path.Combine(datapath.LinkDirectory, "sock_connect6")))
            link.Detach();
        using var pins = PinDirectory.TryOpen(_kernel.BpfFs)!;
        Assert.Equal(
            [
                $"pins: programs/{Path.GetFileName(datapath.ProgramDirectory)}/tc_pod is missing",
                "links: sock_connect6 is missing (detached, should be CgroupInet6Connect)",
                $"pins: {MapNames.Vips} is changed (mode 0404, should be mode 0600)",
            ],
            InstallationAudit.Find(pins, datapath.Maps).Select(found => found.ToString()));
    }

    private static async Task CgroupAsync(string verb, string cgroup, string pin)
    {
        var result = await new ProcessRunner().RunAsync(
            Bpftool.Locate(null), ["cgroup", verb, cgroup, "connect4", "pinned", pin], CancellationToken.None);
        Assert.Equal(0, result.ExitCode);
    }

    private IReadOnlyList<uint> ProgramsAt(SocketHook hook) =>
        BpfCgroup.QueryPrograms(_kernel.Cgroup.Directory, hook.AttachType, false, out _);

    private uint MapId(string name)
    {
        using var map = BpfMap.OpenPinned(Path.Combine(_kernel.Pins, name));
        return map.Info.Id;
    }

    private static uint ProgramId(string pin)
    {
        using var program = BpfProgram.OpenPinned(pin);
        return program.Info.Id;
    }

    private static uint LinkId(string pin)
    {
        using var link = BpfLink.OpenPinned(pin);
        return link.Info.Id;
    }
}
