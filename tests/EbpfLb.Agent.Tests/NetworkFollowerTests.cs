// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.CompilerServices;
using EbpfLb.Datapath.Conntrack;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Devices;
using EbpfLb.Datapath.Status;
using EbpfLb.Linux.Netlink;
using EbpfLb.LoadBalancing.Model;
using OpenDatapath = EbpfLb.Datapath.Loading.Datapath;

namespace EbpfLb.Agent.Tests;

/// <summary>The follower in a network namespace of its own, over maps in the kernel.</summary>
public sealed class NetworkFollowerTests : IAsyncLifetime, IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly WarningLog<NodeNetwork> _log = new();
    private readonly WarningLog<NetworkFollower> _followerLog = new();
    private readonly NetworkFollowerOptions _options = new() { RefreshInterval = TimeSpan.FromHours(1), LookInterval = TimeSpan.FromHours(1) };
    private readonly List<NetworkChange> _taken = [];
    private KernelDatapath? _kernel;
    private PrivateNetwork? _network;
    private OpenDatapath? _datapath;
    private NetworkMonitor? _monitor;
    private NodeNetwork? _node;
    private NodeSettings? _settings;
    private Task _running = Task.CompletedTask;
    private int _looked;
    private int _toldAttached;

    private PrivateNetwork Network => _network!;

    private IReadOnlyList<NetworkChange> Taken
    {
        get
        {
            lock (_taken)
                return [.. _taken];
        }
    }

    private uint Generation => _settings!.Generation;

    public async Task InitializeAsync()
    {
        if (!Environment.IsPrivilegedProcess)
            return;

        _kernel = new KernelDatapath();
        _network = new PrivateNetwork();
        _datapath = await _kernel.OpenAsync();
        Network.IpBatch(
        [
            // No addresses that come by themselves, in the middle of a test.
            "link set lo up", "link add eth0 type veth peer name wire0", "link set eth0 addrgenmode none", "link set wire0 addrgenmode none",
            "link set eth0 up", "link set wire0 up",
            "addr add 10.0.0.1/24 dev eth0", "addr add fd00::1/64 dev eth0 nodad", "route add default via 10.0.0.254",
        ]);
    }

    public async Task DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose()
    {
        _node?.Dispose();
        _monitor?.Dispose();
        _datapath?.Dispose();
        _network?.Dispose();
        _kernel?.Dispose();
        _stop.Dispose();
    }

    [PrivilegedFact]
    public async Task What_is_there_at_the_start_is_in_place_before_the_first_event()
    {
        Start();
        Assert.Equal(
            new DeviceValue
            {
                SourceV4 = Address.Parse("10.0.0.1"),
                SourceV6 = Address.Parse("fd00::1"),
                Mac = Device("eth0")!.Value.Mac,
                Mtu = 1500,
                Flags = DeviceFlags.Attached,
            },
            Device("eth0"));
        Assert.Equal(default, Device("wire0")!.Value.SourceV4);
        Assert.Equal(NodeAddressFlags.NodePorts, NodeAddress("10.0.0.1"));
        Assert.Equal(NodeAddressFlags.NodePorts | NodeAddressFlags.Loopback, NodeAddress("127.0.0.1"));
        Assert.NotEqual(0u, Generation);
        await Eventually.True(() => Volatile.Read(ref _toldAttached) == 1, "told that a device is attached");
    }

    [PrivilegedFact]
    public async Task Devices_that_come_change_and_go_are_followed()
    {
        Start(Patterns("eth*"));
        Network.Ip("link add index 77 eth1 type veth peer name wire1");
        await Eventually.True(() => IsAttached("eth1"), "the new device is attached");

        Network.Ip("link set eth1 mtu 9000");
        await Eventually.True(() => Device("eth1")?.Mtu == 9000, "its mtu is in the map");
        Network.Ip("link set eth1 address 02:00:00:00:00:77");
        await Eventually.True(() => Device("eth1")?.Mac.ToString() == "02:00:00:00:00:77", "its address is in the map");

        Network.Ip("link del eth1");
        await Eventually.True(() => !_datapath!.Maps.Devices.TryGet(77, out _) && Pins(77) == 0, "nothing is left of it");
        Network.Ip("link add index 77 eth1 type veth peer name wire1");
        await Eventually.True(() => IsAttached("eth1"), "the device that was made again is attached");

        Network.Ip("link set eth1 name other");
        await Eventually.True(() => Pins(77) == 0, "a name that is not chosen is left");
        Network.Ip("link set other name eth7");
        await Eventually.True(() => IsAttached("eth7"), "a name that is chosen is attached");

        using (var elsewhere = new PrivateNetwork())
        {
            Network.Ip($"link set eth7 netns {elsewhere.Namespace.Path}");
            await Eventually.True(() => Pins(77) == 0, "a device in another namespace is left");
            Assert.Equal(0u, elsewhere.Link("eth7").XdpProgramId);
        }

        Assert.True(IsAttached("eth0"));
        Assert.Empty(_log.Lines);
    }

    [PrivilegedFact]
    public async Task Addresses_that_come_and_go_are_in_the_maps()
    {
        Start();
        Network.Ip("addr add 10.0.9.9/24 dev eth0");
        await Eventually.True(() => NodeAddress("10.0.9.9") == NodeAddressFlags.NodePorts, "the address is there");
        Network.Ip("addr del 10.0.0.1/24 dev eth0");
        await Eventually.True(
            () => NodeAddress("10.0.0.1") is null && Device("eth0")?.SourceV4 == Address.Parse("10.0.9.9"), "the next address serves");
    }

    [PrivilegedFact]
    public async Task A_default_route_finds_a_device_and_its_loss_does_not_lose_it()
    {
        Start();
        Network.Ip("link add wan0 type veth peer name wire1");
        Network.Ip("link set wan0 up");
        Network.Ip("addr add 10.7.0.1/24 dev wan0");
        Assert.False(IsAttached("wan0"));
        Network.Ip("route add default via 10.7.0.254 metric 100");
        await Eventually.True(() => IsAttached("wan0"), "a second default route is found");

        Network.Ip("route del default via 10.7.0.254 metric 100");
        Network.Ip("link set eth0 mtu 1400");
        await Eventually.True(() => Device("eth0")?.Mtu == 1400, "later changes are seen");
        Assert.True(IsAttached("wan0"));
    }

    [PrivilegedFact]
    public void A_restart_while_there_is_no_default_route_loses_no_device()
    {
        int index = Network.IndexOf("eth0");
        Restart(new DeviceOptions());
        Assert.Equal(3, Pins(index));

        Network.Ip("route del default");
        Restart(new DeviceOptions());
        Assert.Equal((3, true), (Pins(index), IsAttached("eth0")));

        Restart(Patterns("wire*"));
        Assert.Equal((0, false), (Pins(index), IsAttached("eth0")));
    }

    [PrivilegedTheory]
    [InlineData("route add 10.9.0.0/16 via 10.0.0.7")]
    [InlineData("route del default")]
    [InlineData("rule add to 10.9.0.0/16 table 77")]
    [InlineData("neigh change 10.0.0.254 lladdr 02:00:00:00:00:02 dev eth0")]
    [InlineData("neigh del 10.0.0.254 dev eth0")]
    [InlineData("link set eth0 down")]
    [InlineData("link set eth0 address 02:00:00:00:00:01")]
    [InlineData("link set wire0 mtu 1400")]
    [InlineData("link del wire0")]
    [InlineData("addr add 10.3.0.1/24 dev wire0")]
    public async Task What_may_move_a_flow_raises_the_generation(string change)
    {
        Network.Ip("neigh add 10.0.0.254 lladdr 02:00:00:00:00:01 dev eth0");
        Start();
        uint before = Generation;
        Network.Ip(change);
        await Eventually.True(() => Generation != before, change);
    }

    [PrivilegedTheory]
    [InlineData("neigh change 10.0.0.254 lladdr 02:00:00:00:00:01 nud stale dev eth0")]
    [InlineData("neigh add 10.0.0.77 lladdr 02:00:00:00:00:07 nud reachable dev eth0")]
    public async Task What_moves_no_flow_leaves_the_generation(string change)
    {
        Network.Ip("neigh add 10.0.0.254 lladdr 02:00:00:00:00:01 nud reachable dev eth0");
        Start();
        uint before = Generation;
        Network.Ip(change);
        await Eventually.True(() => Taken.Any(taken => IsOf(taken, change)), "the event was taken");
        Assert.Equal(before, Generation);
    }

    [PrivilegedFact]
    public async Task A_foreign_xdp_program_that_leaves_makes_room_for_ours()
    {
        int index = Network.IndexOf("eth0");
        using var program = Linux.Bpf.BpfProgram.OpenPinned(Path.Combine(_datapath!.ProgramDirectory, "xdp_ingress"));
        using (Network.Run(() => Linux.Bpf.BpfLink.AttachXdp(program, index, Linux.Bpf.XdpMode.Native)))
        {
            Start(new DeviceOptions(), _options with { LookInterval = TimeSpan.FromMilliseconds(50) });
            Assert.Equal(2, Pins(index));
        }

        await Eventually.True(() => Pins(index) == 3, "XDP is attached");
        Assert.Single(_log.Lines);
    }

    [PrivilegedFact]
    public void A_device_is_in_the_maps_before_a_program_is_on_it()
    {
        int index = Network.IndexOf("eth0");
        using var program = Linux.Bpf.BpfProgram.OpenPinned(Path.Combine(_datapath!.ProgramDirectory, "xdp_ingress"));
        using var foreign = Network.Run(() => Linux.Bpf.BpfLink.AttachXdp(program, index, Linux.Bpf.XdpMode.Native));

        // The warning about the foreign program comes in the middle of attaching.
        DeviceValue? then = null;
        _log.Written = () => then ??= Device("eth0");
        Start();
        Assert.Single(_log.Lines);
        Assert.Equal(Device("eth0")!.Value with { Flags = DeviceFlags.None }, then!.Value with { Flags = DeviceFlags.None });
    }

    [PrivilegedFact]
    public async Task What_cannot_be_put_in_place_ends_nothing_and_is_told_once()
    {
        Start(new DeviceOptions { Devices = [] }, _options with { LookInterval = TimeSpan.FromMilliseconds(50) });

        // Something else has the place of the links.
        string links = _datapath!.LinkDirectory;
        Directory.Delete(links, recursive: true);
        using (var map = Linux.Bpf.BpfMap.OpenPinned(Path.Combine(_kernel!.Pins, "devices_v1")))
            map.Pin(links);
        Network.Ip("addr add 10.0.9.9/24 dev eth0");
        await Eventually.True(() => _followerLog.Lines.Count > 0, "the failure is told");
        Network.Ip("link set eth0 mtu 1400");
        await Eventually.True(() => Device("eth0")?.Mtu == 1400, "what does not need the links goes on");

        File.Delete(links);
        await Eventually.True(() => Directory.Exists(links), "it was tried again without an event");
        Assert.Single(_followerLog.Lines);
    }

    [PrivilegedFact]
    public async Task A_first_reading_that_fails_is_told_loses_nothing_and_is_done_again()
    {
        Restart(new DeviceOptions());
        int index = Network.IndexOf("eth0");
        var before = Device("eth0");
        Assert.Equal((3, true), (Pins(index), IsAttached("eth0")));

        // Another agent, of which the first attempts fail.
        const int Failing = 3;
        int attempts = 0;
        var told = new List<Problem?>();
        var follower = Follower(
            action =>
            {
                if (Interlocked.Increment(ref attempts) <= Failing)
                    throw new Linux.LinuxException("list links", Linux.Errno.EAGAIN);
                Network.Run(action);
            },
            problem =>
            {
                lock (told)
                    told.Add(problem);
            });
        follower.Begin();
        Assert.Contains("list links", Assert.Single(told)!.Message, StringComparison.Ordinal);
        Assert.Equal(before, Device("eth0"));

        // What comes before the reading must not be taken for all there is.
        _running = follower.RunAsync(_stop.Token);
        Network.Ip("link set wire0 mtu 1400");
        await Eventually.True(() => Device("wire0")?.Mtu == 1400, "everything was read in the end");
        Assert.Equal((3, before), (Pins(index), Device("eth0")));
        await Eventually.True(() => Told().Count == 2, "told that it is followed again");
        Assert.Null(Told()[1]);
        Assert.Single(_followerLog.Lines);

        List<Problem?> Told()
        {
            lock (told)
                return [.. told];
        }
    }

    [PrivilegedTheory]
    [InlineData(Linux.Errno.EPERM)]
    [InlineData(Linux.Errno.EACCES)]
    public void A_first_reading_that_is_not_permitted_ends_the_start(Linux.Errno errno)
    {
        Restart(new DeviceOptions());
        var follower = Follower(_ => throw new Linux.LinuxException("list links", errno), _ => { });
        Assert.Equal(errno, Assert.Throws<Linux.LinuxException>(follower.Begin).Errno);
    }

    [PrivilegedFact]
    public async Task A_refresh_finds_what_no_event_told()
    {
        Start(new DeviceOptions(), new NetworkFollowerOptions { RefreshInterval = TimeSpan.FromMilliseconds(100) });
        int index = Network.IndexOf("eth0");
        using (var link = Linux.Bpf.BpfLink.OpenPinned(Path.Combine(_datapath!.LinkDirectory, $"tcx_in_{index}")))
            link.Detach();
        await Eventually.True(() => _log.Lines.Count == 1, "a warning");
        Assert.Contains("eth0: somebody took our program off TcxIngress", _log.Lines[0], StringComparison.Ordinal);
        Assert.Single(Network.Run(() => Linux.Bpf.BpfTcx.QueryPrograms(index, egress: false)));

        _datapath!.Maps.NodeAddresses.Delete(Address.Parse("10.0.0.1"));
        await Eventually.True(() => NodeAddress("10.0.0.1") is not null, "an entry that somebody took is put back");
    }

    [PrivilegedFact]
    public async Task What_a_driver_can_do_is_asked_again()
    {
        Start(new DeviceOptions(), _options with { LookInterval = TimeSpan.FromMilliseconds(50) });
        Assert.False(Device("eth0")!.Value.Flags.HasFlag(DeviceFlags.XdpSends));

        // A veth takes frames from XDP when its other end has a program.
        int peer = Network.IndexOf("wire0");
        using var program = Linux.Bpf.BpfProgram.OpenPinned(Path.Combine(_datapath!.ProgramDirectory, "xdp_ingress"));
        using var link = Network.Run(() => Linux.Bpf.BpfLink.AttachXdp(program, peer, Linux.Bpf.XdpMode.Native));
        await Eventually.True(() => Device("eth0")!.Value.Flags.HasFlag(DeviceFlags.XdpSends), "XDP may send to it");
    }

    [PrivilegedFact]
    public async Task A_node_IP_that_no_device_has_is_told_once()
    {
        Start(new DeviceOptions { NodeAddresses = [Address.Parse("10.0.9.9"), Address.Parse("fd00::1")] });
        Network.Ip("addr add 10.0.8.8/24 dev eth0");
        await Eventually.True(() => NodeAddress("10.0.8.8") is not null, "the address is there");
        Assert.StartsWith("--node-ip 10.0.9.9: no device", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    [PrivilegedFact]
    public async Task A_hundred_devices_at_once_are_all_attached()
    {
        const int Count = 100;
        Start(new DeviceOptions { Devices = [], PodDevices = Patterns("lxc*").Devices! });
        Network.IpBatch(Enumerable.Range(0, Count).Select(number => $"link add lxc{number} type veth peer name pod{number}"));
        await Eventually.True(
            () => _datapath!.Maps.Devices.ReadAll().Count(entry => entry.Value.Flags.HasFlag(DeviceFlags.Attached)) == Count,
            "every one is attached");
        Network.IpBatch(Enumerable.Range(0, Count).Select(number => $"link del lxc{number}"));
        await Eventually.True(() => Directory.GetFiles(_datapath!.LinkDirectory, "tcx_*").Length == 0, "no link is left");
        Assert.Empty(_log.Lines);
    }

    [PrivilegedFact]
    public async Task Without_a_device_the_maps_are_kept_all_the_same()
    {
        Start(new DeviceOptions { Devices = [] });
        Network.Ip("addr add 10.0.9.9/24 dev eth0");
        await Eventually.True(() => NodeAddress("10.0.9.9") is not null, "the address is there");
        Assert.Equal((0, 1, 0, 0), (Pins(Network.IndexOf("eth0")), _looked, _toldAttached, _log.Lines.Count));
    }

    [PrivilegedTheory]
    [InlineData(XdpChoice.Native, true)]
    [InlineData(XdpChoice.Auto, false)]
    public async Task A_foreign_xdp_program_is_a_problem_where_native_was_asked_for_until_it_goes(XdpChoice xdp, bool isProblem)
    {
        int index = Network.IndexOf("eth0");
        using var program = Linux.Bpf.BpfProgram.OpenPinned(Path.Combine(_datapath!.ProgramDirectory, "xdp_ingress"));
        using (var link = Network.Run(() => Linux.Bpf.BpfLink.AttachXdp(program, index, Linux.Bpf.XdpMode.Native)))
        {
            Start(new DeviceOptions { Xdp = xdp }, _options with { LookInterval = TimeSpan.FromMilliseconds(50) });
            Assert.Equal(isProblem ? ["eth0"] : [], _node!.Problems.Select(problem => problem.Subject));
            Assert.All(_node!.Problems, problem => Assert.StartsWith(
                $"eth0 has a foreign XDP program, program {link.Info.ProgramId} 'xdp_ingress', so tc serves it", problem.Message,
                StringComparison.Ordinal));
        }

        await Eventually.True(() => Pins(index) == 3 && _node!.Problems.Count == 0, "XDP is attached, and the problem gone");
    }

    [PrivilegedFact]
    public async Task A_hook_that_is_refused_is_a_problem_until_there_is_room()
    {
        int index = Network.IndexOf("eth0"), changed = 0;
        var links = FillEgress(index);
        try
        {
            Start(new DeviceOptions { Xdp = XdpChoice.Off }, _options with { LookInterval = TimeSpan.FromMilliseconds(50) });
            _node!.ProblemsChanged = () => Interlocked.Increment(ref changed);
            var problem = Assert.Single(_node!.Problems);
            Assert.Equal("eth0", problem.Subject);
            Assert.StartsWith("eth0 cannot be attached to at tc egress: ", problem.Message, StringComparison.Ordinal);
            Assert.Contains("leave the device out of --devices", problem.Message, StringComparison.Ordinal);
            Assert.Equal((0, false), (Pins(index), IsAttached("eth0")));
        }
        finally
        {
            links.ForEach(link => link.Dispose());
        }

        await Eventually.True(() => IsAttached("eth0") && _node!.Problems.Count == 0, "attached, and the problem gone");
        await Eventually.True(() => Volatile.Read(ref changed) == 1, "told once");
    }

    [PrivilegedFact]
    public async Task No_device_to_attach_to_is_a_problem_until_there_is_one()
    {
        Network.Ip("link add br0 type bridge");
        Start(Patterns("lo", "wan*"));
        var problem = Assert.Single(_node!.Problems);
        Assert.StartsWith(
            "No device is attached to (--devices lo,wan*, lo carries no Ethernet frames): packets from outside are not balanced",
            problem.Message, StringComparison.Ordinal);
        Network.Ip("link set br0 name wan0");
        await Eventually.True(() => IsAttached("wan0") && _node!.Problems.Count == 0, "attached, and the problem gone");
        Network.Ip("link del wan0");
        await Eventually.True(() => _node!.Problems.Count == 1, "a problem again");
    }

    [PrivilegedTheory]
    [InlineData("devices_v1", 3, "link add br0 type bridge", "link del br0", "br0")]
    [InlineData("node_addrs_v1", 4, "addr add 10.0.9.9/24 dev eth0", "addr del 10.0.9.9/24 dev eth0", "10.0.9.9")]
    public async Task A_map_that_is_full_is_a_problem_that_names_what_is_missing(
        string map, uint size, string change, string revert, string missing)
    {
        _datapath!.Dispose();
        _kernel!.Dispose();
        _kernel = new KernelDatapath();
        _datapath = await _kernel.OpenAsync(new Dictionary<string, uint> { [map] = size });
        Start();
        Assert.Empty(_node!.Problems);

        Network.Ip(change);
        await Eventually.True(() => _node!.Problems.Count == 1, "a problem");
        var problem = _node!.Problems[0];
        Assert.Equal(map, problem.Subject);
        Assert.StartsWith($"{map} cannot take {missing}: it is full. ", problem.Message, StringComparison.Ordinal);
        Assert.Contains($"--map-size {map}=ENTRIES", problem.Message, StringComparison.Ordinal);
        Network.Ip(revert);
        await Eventually.True(() => _node!.Problems.Count == 0, "the problem is gone");
    }

    // As many as the kernel lets there be.
    private List<Linux.Bpf.BpfLink> FillEgress(int index)
    {
        const int MoreThanThereIsRoomFor = 100;
        var links = new List<Linux.Bpf.BpfLink>();
        try
        {
            while (links.Count < MoreThanThereIsRoomFor)
            {
                // A program has a hook once only.
                using var program = Linux.Bpf.BpfProgram.LoadRaw(
                    "pass", Linux.Bpf.BpfProgramType.SchedCls, Linux.Bpf.BpfAttachType.CgroupInetIngress, [0x0000_0000_0000_00b7, 0x95]);
                links.Add(Network.Run(() => Linux.Bpf.BpfLink.AttachTcx(program, index, egress: true)));
            }
        }
        catch (Linux.LinuxException)
        {
            return links;
        }

        links.ForEach(link => link.Dispose());
        throw new InvalidOperationException("The hook has room for more programs than the test makes.");
    }

    private static DeviceOptions Patterns(params string[] texts) => new()
    {
        Devices = [.. texts.Select(text => DevicePattern.TryParse(text, out var pattern) ? pattern : throw new FormatException(text))],
    };

    // Over a network that nobody has read yet.
    private NetworkFollower Follower(Action<Action> enter, Action<Problem?> failed)
    {
        _monitor = Network.Run(() => new NetworkMonitor());
        _node!.Dispose();
        _node = new NodeNetwork(_datapath!, new DeviceOptions(), _settings!, _log);
        return new NetworkFollower(
            Tapped(), _node, _options with { LookInterval = TimeSpan.FromMilliseconds(50) }, () => { }, TimeProvider.System, _followerLog, enter,
            failed);
    }

    private void Restart(DeviceOptions options)
    {
        _node?.Dispose();
        _settings = new NodeSettings(_datapath!.Maps.Settings);
        _settings.Write(new FlowSettings(), Network.Namespace.Cookie);
        _node = new NodeNetwork(_datapath, options, _settings, _log);
        Network.Run(_node.Refresh);
    }

    private void Start(DeviceOptions? options = null, NetworkFollowerOptions? followerOptions = null)
    {
        _monitor = Network.Run(() => new NetworkMonitor());
        Restart(options ?? new DeviceOptions());
        var follower = new NetworkFollower(
            Tapped(), _node!, followerOptions ?? _options,
            () =>
            {
                Interlocked.Increment(ref _looked);
                if (_node!.AttachedDevices > 0)
                    Interlocked.Increment(ref _toldAttached);
            },
            TimeProvider.System, _followerLog, action => Network.Run(action));
        _running = follower.RunAsync(_stop.Token);
    }

    private static bool IsOf(NetworkChange taken, string change) =>
        taken.Neighbor is { LinkLayerAddress.IsNone: false } neighbor
        && change.Contains(neighbor.Address.ToString(), StringComparison.Ordinal);

    // An event is in the list when the follower asks for the one after it.
    private async IAsyncEnumerable<NetworkChange> Tapped([EnumeratorCancellation] CancellationToken stopping = default)
    {
        await foreach (var change in _monitor!.ReadAsync(stopping))
        {
            yield return change;
            lock (_taken)
                _taken.Add(change);
        }
    }

    private DeviceValue? Device(string name) =>
        Network.Run(NetworkDump.Links).FirstOrDefault(link => link.Name == name) is { } link
            && _datapath!.Maps.Devices.TryGet((uint)link.Index, out var device) ? device : null;

    private bool IsAttached(string name) => Device(name) is { } device && device.Flags.HasFlag(DeviceFlags.Attached);

    private NodeAddressFlags? NodeAddress(string text) =>
        _datapath!.Maps.NodeAddresses.TryGet(Address.Parse(text), out var value) ? value.Flags : null;

    private int Pins(int index) => Directory.GetFiles(_datapath!.LinkDirectory, $"*_{index}").Length;
}
