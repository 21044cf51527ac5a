// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Devices;
using EbpfLb.Datapath.Loading;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Netlink;
using OpenDatapath = EbpfLb.Datapath.Loading.Datapath;

namespace EbpfLb.Datapath.Tests;

public sealed class DeviceLinksTests : IDisposable
{
    private static readonly HashSet<int> NobodyGone = [];

    private readonly KernelDatapath _kernel = new();
    private readonly WarningLog<DeviceLinks> _log = new();
    private PrivateNetwork? _network;
    private OpenDatapath? _datapath;
    private DeviceLinks? _links;

    private PrivateNetwork Network => _network!;

    public void Dispose()
    {
        _links?.Dispose();
        _datapath?.Dispose();
        _network?.Dispose();
        _kernel.Dispose();
    }

    [PrivilegedFact]
    public async Task An_uplink_gets_every_hook_and_a_restart_keeps_the_links()
    {
        await StartAsync("up0");
        Assert.Equal((3, 0, 0, 0), Counts(Apply("up0")));
        int index = Network.IndexOf("up0");
        Assert.Equal([$"tcx_in_{index}", $"tcx_out_{index}", $"xdp_{index}"], DevicePins());
        Assert.Equal(XdpMode.Native, Network.Link("up0").XdpMode);
        Assert.Equal(("tc_ingress", "tc_egress"), (Single(index, egress: false), Single(index, egress: true)));
        uint[] before = LinkIds();

        await RestartAsync();
        Assert.Equal((0, 0, 3, 0), Counts(Apply("up0")));
        Assert.Equal(before, LinkIds());
        Assert.Empty(_log.Lines);
    }

    [PrivilegedFact]
    public async Task Programs_of_another_build_come_by_a_link_update()
    {
        await StartAsync("up0");
        Apply("up0");
        uint[] before = LinkIds();
        uint oldXdp = Network.Link("up0").XdpProgramId;

        _links!.Dispose();
        _datapath!.Dispose();
        string programs = Path.Combine(_kernel.Pins, "programs");
        Directory.Move(Directory.GetDirectories(programs).Single(), Path.Combine(programs, "0123456789abcdef"));
        await RestartAsync();
        Assert.Equal((0, 3, 0, 0), Counts(Apply("up0")));
        Assert.Equal(before, LinkIds());
        Assert.NotEqual(oldXdp, Network.Link("up0").XdpProgramId);
    }

    [PrivilegedFact]
    public async Task A_pods_device_gets_two_hooks_and_no_xdp()
    {
        await StartAsync("pod0");
        int index = Network.IndexOf("pod0");
        Assert.Equal((2, 0, 0, 0), Counts(Apply(new DevicePlan(new Dictionary<int, DeviceRole> { [index] = DeviceRole.Pod }))));
        Assert.Equal([$"tcx_out_{index}", $"tcx_pod_{index}"], DevicePins());
        Assert.Equal(("tc_pod", "tc_egress"), (Single(index, egress: false), Single(index, egress: true)));

        // As an uplink it has another program at the same hook.
        Assert.Equal((2, 0, 1, 1), Counts(Apply("pod0")));
        Assert.Equal("tc_ingress", Single(index, egress: false));
    }

    [PrivilegedFact]
    public async Task A_device_that_is_not_chosen_any_more_is_left_by_every_program()
    {
        await StartAsync("up0", "up1");
        Apply("up0", "up1");
        Assert.Equal((0, 0, 3, 3), Counts(Apply("up1")));
        int index = Network.IndexOf("up0");
        Assert.Equal(0u, Network.Link("up0").XdpProgramId);
        Assert.Empty(Network.Run(() => BpfTcx.QueryPrograms(index, egress: false)));
        Assert.Empty(Network.Run(() => BpfTcx.QueryPrograms(index, egress: true)));
        Assert.Equal(3, DevicePins().Count);
    }

    [PrivilegedFact]
    public async Task A_device_with_another_name_or_mtu_keeps_its_links()
    {
        await StartAsync("up0");
        Apply("up0");
        uint[] before = LinkIds();
        Network.Ip("link set up0 name wan0");
        Network.Ip("link set wan0 mtu 9000");
        Network.Ip("link set wan0 down");
        Assert.Equal((0, 0, 3, 0), Counts(Apply("wan0")));
        Network.Ip("link set wan0 up");
        Network.Ip("link set wan0 mtu 1500");
        Assert.Equal((0, 0, 3, 0), Counts(Apply("wan0")));
        Assert.Equal(before, LinkIds());
    }

    [PrivilegedFact]
    public async Task A_device_that_was_made_again_is_attached_again_whatever_its_index()
    {
        await StartAsync("up0");
        Network.Ip("link add index 77 wan0 type veth peer name peer77");
        Apply("up0", "wan0");

        Network.Ip("link del wan0");
        Network.Ip("link del up0");
        Network.Ip("link add index 77 wan0 type veth peer name peer77");
        Network.Ip("link add up0 type veth peer name up0p");
        var result = Apply(PlanFor("up0", "wan0"), gone: [77]);
        Assert.Equal((6, 0, 0), (result.Created, result.Updated, result.Kept));
        Assert.Equal(3, result.Removed);
        Assert.NotEqual(0u, Network.Link("wan0").XdpProgramId);
        Assert.Equal(6, DevicePins().Count);
        Assert.Empty(_log.Lines);
    }

    [PrivilegedFact]
    public async Task A_program_that_somebody_took_off_is_put_back_with_a_warning()
    {
        await StartAsync("up0");
        Apply("up0");
        foreach (string pin in DevicePins())
        {
            using var link = BpfLink.OpenPinned(Path.Combine(_datapath!.LinkDirectory, pin));
            link.Detach();
        }

        Assert.Equal((3, 0, 0, 0), Counts(Apply("up0")));
        Assert.Equal(3, _log.Lines.Count);
        Assert.All(_log.Lines, line => Assert.StartsWith("up0: somebody took our program off ", line, StringComparison.Ordinal));
        Assert.Equal((0, 0, 3, 0), Counts(Apply("up0")));

        // The kernel frees a link without a pin a moment later.
        File.Delete(Path.Combine(_datapath!.LinkDirectory, $"xdp_{Network.IndexOf("up0")}"));
        await Eventually.True(() => Network.Link("up0").XdpProgramId == 0, "the link is gone");
        Assert.Equal((1, 0, 2, 0), Counts(Apply("up0")));
        Assert.Equal(4, _log.Lines.Count);
    }

    [PrivilegedFact]
    public async Task A_foreign_xdp_program_stays_is_named_once_and_gives_way_when_it_goes()
    {
        await StartAsync("up0", "up1");
        using var program = OpenProgram(ProgramNames.XdpIngress);
        int index = Network.IndexOf("up0");
        var foreign = Network.Run(() => BpfLink.AttachXdp(program, index, XdpMode.Native));
        uint id = Network.Link("up0").XdpProgramId;

        Assert.Equal((5, 0, 0, 0), Counts(Apply("up0", "up1")));
        Assert.Equal((0, 0, 5, 0), Counts(Apply("up0", "up1")));
        string warning = Assert.Single(_log.Lines);
        Assert.Contains($"up0 has a foreign XDP program, program {id} 'xdp_ingress'", warning, StringComparison.Ordinal);
        Assert.Equal("tc_ingress", Single(index, egress: false));
        using (foreign)
            Assert.Equal(index, foreign.Info.InterfaceIndex);

        Assert.Equal((1, 0, 5, 0), Counts(Apply("up0", "up1")));
        Assert.NotEqual(0u, Network.Link("up0").XdpProgramId);
        Assert.Single(_log.Lines);
    }

    [PrivilegedFact]
    public async Task A_foreign_generic_xdp_program_keeps_a_native_one_out()
    {
        await StartAsync("up0");
        using var program = OpenProgram(ProgramNames.XdpIngress);
        int index = Network.IndexOf("up0");
        using var foreign = Network.Run(() => BpfLink.AttachXdp(program, index, XdpMode.Generic));
        Assert.Equal((2, 0, 0, 0), Counts(Apply("up0")));
        Assert.Contains("up0 has a foreign XDP program", Assert.Single(_log.Lines), StringComparison.Ordinal);
        Assert.Equal(XdpMode.Generic, Network.Link("up0").XdpMode);
    }

    [PrivilegedFact]
    public async Task A_foreign_tcx_program_runs_beside_ours_and_cleanup_leaves_it()
    {
        await StartAsync("up0");
        using var first = OpenProgram(ProgramNames.TcPod);
        using var last = OpenProgram(ProgramNames.TcEgress);
        int index = Network.IndexOf("up0");
        using var before = Network.Run(() => BpfLink.AttachTcx(first, index, egress: false));
        Apply("up0");
        using var after = Network.Run(() => BpfLink.AttachTcx(last, index, egress: false));
        uint[] running = [.. Network.Run(() => BpfTcx.QueryPrograms(index, egress: false))];
        Assert.Equal(3, running.Length);
        Assert.Equal((first.Info.Id, last.Info.Id), (running[0], running[2]));
        Assert.Equal((0, 0, 3, 0), Counts(Apply("up0")));

        _links!.Dispose();
        _datapath!.Dispose();
        using (var pins = PinDirectory.TryOpen(_kernel.BpfFs)!)
        {
            var removed = Cleanup.Run(pins);
            Assert.Equal((SocketHook.All.Count + 3, 0), (removed.Links, removed.Foreign.Count));
        }

        Assert.Equal([first.Info.Id, last.Info.Id], Network.Run(() => BpfTcx.QueryPrograms(index, egress: false)));
        Assert.Equal(0u, Network.Link("up0").XdpProgramId);
    }

    [PrivilegedFact]
    public async Task S179_a_driver_without_xdp_is_served_by_tc_and_told_of_once_if_it_was_asked_for()
    {
        await StartAsync("up0");
        Network.Ip("link add br0 type bridge");
        Assert.Equal((5, 0, 0, 0), Counts(Apply("up0", "br0")));
        Assert.Empty(_log.Lines);

        await RestartAsync(XdpChoice.Native);
        Assert.Equal((0, 0, 5, 0), Counts(Apply("up0", "br0")));
        Apply("up0", "br0");
        Assert.Contains("br0 takes no native XDP program", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    [PrivilegedFact]
    public async Task S179_a_device_whose_settings_keep_xdp_out_is_served_by_tc_until_they_change()
    {
        await StartAsync();
        await RestartAsync(XdpChoice.Native);
        // As a physical driver refuses for an MTU or for LRO, so does a veth whose other end sends on more queues than it receives on.
        Network.Ip("link add up0 numtxqueues 1 numrxqueues 1 type veth peer name up0p numtxqueues 4 numrxqueues 1");
        Assert.Equal((2, 0, 0, 0), Counts(Apply("up0")));
        Apply("up0");
        Assert.Contains("up0 takes no native XDP program", Assert.Single(_log.Lines), StringComparison.Ordinal);

        Network.Ethtool("-L up0p tx 1");
        Assert.Equal((1, 0, 2, 0), Counts(Apply("up0")));
        Assert.Equal(XdpMode.Native, Network.Link("up0").XdpMode);
        Assert.Single(_log.Lines);
    }

    [PrivilegedTheory]
    [InlineData(XdpChoice.Generic, XdpMode.Generic, 3)]
    [InlineData(XdpChoice.Off, XdpMode.None, 2)]
    [InlineData(XdpChoice.Native, XdpMode.Native, 3)]
    public async Task Another_mode_is_changed_to_by_a_restart(XdpChoice choice, XdpMode mode, int hooks)
    {
        await StartAsync("up0");
        Apply("up0");
        await RestartAsync(choice);
        Apply("up0");
        Assert.Equal(mode, Network.Link("up0").XdpMode);
        Assert.Equal(hooks, DevicePins().Count);
        Assert.Equal((0, 0, hooks, 0), Counts(Apply("up0")));
        Assert.Empty(_log.Lines);
    }

    [PrivilegedFact]
    public async Task Many_devices_are_attached_at_once()
    {
        const int Count = 50;
        string[] names = [.. Enumerable.Range(0, Count).Select(number => $"up{number}")];
        await StartAsync(names);
        Assert.Equal((3 * Count, 0, 0, 0), Counts(Apply(names)));
        Assert.Equal((0, 0, 3 * Count, 0), Counts(Apply(names)));
        Assert.Equal((0, 0, 0, 3 * Count), Counts(Apply()));
        Assert.Empty(DevicePins());
        Assert.Empty(_log.Lines);
    }

    [PrivilegedFact]
    public async Task Pins_of_another_network_namespace_are_not_taken_for_this_ones()
    {
        await StartAsync("up0");
        Apply("up0");
        int index = Network.IndexOf("up0");
        using var first = Network;

        _network = new PrivateNetwork();
        Network.Ip($"link add index {index} up0 type veth peer name up0p");
        await RestartAsync();
        Assert.Equal((3, 0, 0, 0), Counts(Apply("up0")));
        Assert.NotEqual(0u, Network.Link("up0").XdpProgramId);
        Assert.Equal(0u, first.Link("up0").XdpProgramId);
    }

    private async Task StartAsync(params string[] veths)
    {
        _network = new PrivateNetwork();
        Network.IpBatch(veths.Select(name => $"link add {name} type veth peer name {name}p"));
        await RestartAsync();
    }

    private async Task RestartAsync(XdpChoice xdp = XdpChoice.Auto)
    {
        _links?.Dispose();
        _datapath?.Dispose();
        _datapath = await _kernel.OpenAsync();
        _links = new DeviceLinks(_datapath, xdp, _log);
    }

    private DevicePlan PlanFor(params string[] names) => new(names.ToDictionary(Network.IndexOf, _ => DeviceRole.Uplink));

    private DeviceLinksResult Apply(params string[] names) => Apply(PlanFor(names));

    private DeviceLinksResult Apply(DevicePlan plan, HashSet<int>? gone = null) => Network.Run(() =>
        _links!.Apply(plan, NetworkDump.Links().ToDictionary(link => link.Index), areFresh: true, gone ?? NobodyGone));

    private static (int Created, int Updated, int Kept, int Removed) Counts(DeviceLinksResult result) =>
        (result.Created, result.Updated, result.Kept, result.Removed);

    private IReadOnlyList<string> DevicePins() =>
    [
        .. Directory.GetFiles(_datapath!.LinkDirectory).Select(path => Path.GetFileName(path))
            .Where(name => DevicePin.TryParse(name, out _)).Order(StringComparer.Ordinal),
    ];

    private uint[] LinkIds() =>
    [
        .. DevicePins().Select(name =>
        {
            using var link = BpfLink.OpenPinned(Path.Combine(_datapath!.LinkDirectory, name));
            return link.Info.Id;
        }),
    ];

    private BpfProgram OpenProgram(string name) => BpfProgram.OpenPinned(Path.Combine(_datapath!.ProgramDirectory, name));

    private string Single(int index, bool egress)
    {
        using var program = BpfProgram.FromId(Assert.Single(Network.Run(() => BpfTcx.QueryPrograms(index, egress))));
        return program.Info.Name;
    }
}
