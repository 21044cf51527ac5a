// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Devices;
using EbpfLb.Datapath.Features;
using EbpfLb.Datapath.Inspection;
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Netlink;
using OpenDatapath = EbpfLb.Datapath.Loading.Datapath;

namespace EbpfLb.Datapath.Tests;

/// <summary>As on a kernel without tcx: filters of clsact hold the programs of tc.</summary>
public sealed class ClsactHoldTests : IDisposable
{
    private readonly KernelDatapath _kernel = new();
    private readonly WarningLog<DeviceLinks> _log = new();
    private readonly PrivateNetwork _network = new();
    private OpenDatapath? _datapath;
    private DeviceLinks? _links;

    public void Dispose()
    {
        _links?.Dispose();
        _datapath?.Dispose();
        _network.Dispose();
        _kernel.Dispose();
    }

    [PrivilegedFact]
    public async Task S173_without_tcx_an_uplink_is_held_by_filters_and_a_restart_keeps_them()
    {
        int index = await StartAsync();
        Assert.Equal((3, 0, 0, 0), Counts(Apply(index)));
        Assert.Equal(("tc_ingress", "tc_egress"), (NameAt(index, egress: false), NameAt(index, egress: true)));
        Assert.Equal([$"in_{index}", $"out_{index}", $"qdisc_{index}"], Pins());
        Assert.Empty(_network.Run(() => BpfTcx.QueryPrograms(index, egress: false)));
        Assert.NotEqual(0u, _network.Link("up0").XdpProgramId);

        await RestartAsync();
        Assert.Equal((0, 0, 3, 0), Counts(Apply(index)));
        Assert.Equal(DeviceRole.Uplink, Assert.Single(_network.Run(() => _links!.Find(Links()).Devices)).Value);
        Assert.Empty(_log.Lines);
    }

    [PrivilegedFact]
    public async Task Programs_of_another_build_take_the_place_of_the_filters()
    {
        int index = await StartAsync();
        Apply(index);
        uint[] before = [Filter(index, egress: false).ProgramId, Filter(index, egress: true).ProgramId];
        _links!.Dispose();
        _datapath!.Dispose();
        string programs = Path.Combine(_kernel.Pins, "programs");
        Directory.Move(Directory.GetDirectories(programs).Single(), Path.Combine(programs, "0123456789abcdef"));
        await RestartAsync();

        Assert.Equal((0, 3, 0, 0), Counts(Apply(index)));
        Assert.DoesNotContain(Filter(index, egress: false).ProgramId, before);
        Assert.DoesNotContain(Filter(index, egress: true).ProgramId, before);
        Assert.Equal([$"in_{index}", $"out_{index}", $"qdisc_{index}"], Pins());
    }

    [PrivilegedFact]
    public async Task A_pods_device_that_becomes_an_uplink_has_one_filter_a_direction()
    {
        int index = await StartAsync();
        Assert.Equal((2, 0, 0, 0), Counts(Apply(index, DeviceRole.Pod)));
        Assert.Equal(("tc_pod", "tc_egress"), (NameAt(index, egress: false), NameAt(index, egress: true)));
        Assert.Equal((2, 0, 1, 1), Counts(Apply(index)));
        Assert.Equal("tc_ingress", NameAt(index, egress: false));
    }

    [PrivilegedFact]
    public async Task S170_filters_that_somebody_removes_come_back_with_a_warning()
    {
        int index = await StartAsync();
        Apply(index);
        _network.Tc("qdisc del dev up0 clsact");

        Assert.Equal((2, 0, 1, 0), Counts(Apply(index)));
        Assert.Equal(("tc_ingress", "tc_egress"), (NameAt(index, egress: false), NameAt(index, egress: true)));
        Assert.Equal(2, _log.Lines.Count(line => line.Contains("somebody took our program off", StringComparison.Ordinal)));
    }

    [PrivilegedFact]
    public async Task A_device_that_is_not_chosen_any_more_loses_filters_and_qdisc()
    {
        int index = await StartAsync();
        Apply(index);
        Assert.Equal((0, 0, 0, 3), Counts(Apply(new DevicePlan(new Dictionary<int, DeviceRole>()))));
        Assert.Equal("", _network.Run(() => ClsactFilters.QdiscKind(index)));
        Assert.Empty(Pins());
    }

    [PrivilegedFact]
    public async Task S167_filters_and_a_qdisc_of_others_stay()
    {
        int index = await StartAsync();
        _network.Tc("qdisc add dev up0 clsact");
        _network.Tc($"filter add dev up0 ingress pref 1 bpf da pinned {Path.Combine(_datapath!.ProgramDirectory, "tc_egress")}");
        Apply(index);
        Assert.Equal([$"in_{index}", $"out_{index}"], Pins());
        Assert.Equal([1, ClsactHold.Priority], _network.Run(() => ClsactFilters.List(index, egress: false)).Select(filter => filter.Priority));

        Close();
        _network.Run(() => Clean());
        Assert.Equal(1, Assert.Single(_network.Run(() => ClsactFilters.List(index, egress: false))).Priority);
        Assert.Equal("clsact", _network.Run(() => ClsactFilters.QdiscKind(index)));
        Assert.False(Directory.Exists(_kernel.Pins));
    }

    [PrivilegedFact]
    public async Task A_filter_of_another_agent_and_a_qdisc_without_egress_are_left_in_place_and_named()
    {
        int index = await StartAsync();
        _network.Run(() => ClsactFilters.TryAddQdisc(index));
        using (var program = BpfProgram.OpenPinned(Path.Combine(_datapath!.ProgramDirectory, "tc_egress")))
            _network.Run(() => ClsactFilters.Put(program, index, egress: true, ClsactHold.Priority, 1, "ebpflb /other", mayReplace: false));
        var refusal = Assert.Single(Apply(index).Refused);
        Assert.Contains("a filter named 'ebpflb /other' has priority 40000, handle 1", refusal.Cause, StringComparison.Ordinal);
        Assert.Equal("ebpflb /other", Filter(index, egress: true).Name);

        _network.Tc("qdisc del dev up0 clsact");
        _network.Tc("qdisc add dev up0 ingress");
        refusal = Assert.Single(Apply(index).Refused);
        Assert.Contains("qdisc 'ingress' is in its place", refusal.Cause, StringComparison.Ordinal);
        Assert.Empty(_network.Run(() => ClsactFilters.List(index, egress: false)));
        Assert.Empty(Pins());
    }

    [PrivilegedFact]
    public async Task Filters_give_way_to_tcx_and_come_back()
    {
        int index = await StartAsync();
        Apply(index);
        await RestartAsync(without: []);
        Assert.Equal((2, 0, 1, 2), Counts(Apply(index)));
        Assert.Equal("", _network.Run(() => ClsactFilters.QdiscKind(index)));
        Assert.Single(_network.Run(() => BpfTcx.QueryPrograms(index, egress: false)));

        await RestartAsync();
        Assert.Equal((2, 0, 1, 2), Counts(Apply(index)));
        Assert.Empty(_network.Run(() => BpfTcx.QueryPrograms(index, egress: false)));
    }

    [PrivilegedFact]
    public async Task Status_shows_filters_and_a_cleanup_takes_them_from_the_namespace_they_are_in()
    {
        int index = await StartAsync();
        _datapath!.Maps.Settings.At<Contract.SettingsValue>(0).NodeNetns = _network.Run(Linux.Processes.NetworkNamespace.CurrentCookie);
        Apply(index);
        foreach (var status in new[] { _network.Run(() => StatusView.Read(_kernel.BpfFs)), StatusView.Read(_kernel.BpfFs) })
        {
            var device = Assert.Single(status.Devices);
            Assert.True(device.IsAttached);
            Assert.Equal(2, device.Links.Count(link => link is { IsFilter: true, State: HookState.Attached, ProgramId: not 0 }));
        }

        _network.Run(() => ClsactFilters.RemoveQdisc(index));
        var lost = Assert.Single(_network.Run(() => StatusView.Read(_kernel.BpfFs)).Devices);
        Assert.Equal(2, lost.Links.Count(link => link is { IsFilter: true, State: HookState.Detached }));

        Apply(index);
        Close();
        Assert.Contains("Run the cleanup there", Assert.Throws<DatapathException>(Clean).Message, StringComparison.Ordinal);
        Assert.Equal(2, Pins().Count(pin => !pin.StartsWith("qdisc", StringComparison.Ordinal)));
        var result = _network.Run(Clean);
        Assert.Equal((11, 0), (result.Links, result.Foreign.Count));
        Assert.Equal("", _network.Run(() => ClsactFilters.QdiscKind(index)));
    }

    [PrivilegedFact]
    public async Task S142_programs_that_were_replaced_hold_no_map_any_more()
    {
        int index = await StartAsync();
        Apply(index);
        uint before = ConntrackId();
        await _datapath!.ResizeAsync(new Dictionary<string, uint> { [MapNames.Conntrack] = 2048 }, CancellationToken.None);
        _links!.UsePrograms(_datapath.ProgramDirectory);
        Apply(index);
        Assert.NotEqual(before, ConntrackId());
        await Eventually.True(() => !BpfObjects.MapIds().Contains(before), "the map that was replaced is gone");
    }

    private uint ConntrackId()
    {
        using var map = BpfMap.OpenPinned(Path.Combine(_kernel.Pins, MapNames.Conntrack));
        return map.Info.Id;
    }

    private async Task<int> StartAsync()
    {
        _network.Ip("link add up0 type veth peer name up0p");
        await RestartAsync();
        return _network.IndexOf("up0");
    }

    private Task RestartAsync() => RestartAsync([KernelFeature.Tcx]);

    private async Task RestartAsync(KernelFeature[] without)
    {
        Close();
        _datapath = await _kernel.OpenAsync(without: without);
        _links = new DeviceLinks(_datapath, XdpChoice.Auto, _log);
    }

    private void Close()
    {
        _links?.Dispose();
        _datapath?.Dispose();
    }

    private Cleanup.Result Clean()
    {
        using var pins = PinDirectory.OpenOrCreate(_kernel.BpfFs);
        return Cleanup.Run(pins);
    }

    private static Dictionary<int, NetworkLink> Links() => NetworkDump.Links().ToDictionary(link => link.Index);

    private DeviceLinksResult Apply(int index, DeviceRole role = DeviceRole.Uplink) =>
        Apply(new DevicePlan(new Dictionary<int, DeviceRole> { [index] = role }));

    private DeviceLinksResult Apply(DevicePlan plan) =>
        _network.Run(() => _links!.Apply(plan, Links(), areFresh: true, new HashSet<int>()));

    private static (int Created, int Updated, int Kept, int Removed) Counts(DeviceLinksResult result) =>
        (result.Created, result.Updated, result.Kept, result.Removed);

    private ClsactFilter Filter(int index, bool egress) => Assert.Single(_network.Run(() => ClsactFilters.List(index, egress)));

    private string NameAt(int index, bool egress)
    {
        using var program = BpfProgram.FromId(Filter(index, egress).ProgramId);
        return program.Info.Name;
    }

    private string[] Pins()
    {
        string directory = Path.Combine(_kernel.Pins, "filters");
        return Directory.Exists(directory)
            ? [.. Directory.GetFiles(directory).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)]
            : [];
    }
}
