// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.ExceptionServices;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Processes;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Packets.Tests.Ground;

/// <summary>
/// The programs over maps of their own, and a network namespace whose devices, routes and neighbours they ask for. Nothing is attached:
/// packets are run with BPF_PROG_TEST_RUN, by a thread inside the namespace: the kernel looks up a context's device in the caller's.
/// </summary>
/// <remarks>
/// Two uplinks: up0 towards clients (router ...fe) and pods of node 2, up1 (MTU 1400) towards pods of node 3. One pod device.
/// </remarks>
public sealed class PacketGround : IAsyncLifetime, IDisposable
{
    internal const int FarMtu = 1400;

    private readonly PrivateBpffs _bpffs = new();
    private readonly BlockingCollection<Action> _work = [];
    private NetworkNamespace? _namespace;
    private Thread? _thread;
    private bool _disposed;
    private KernelMaps? _maps;

    internal bool IsUp => _maps is not null;

    internal KernelMaps Maps => _maps ?? throw new InvalidOperationException("The ground is not up.");

    /// <summary>Of the fragments, which <see cref="KernelMaps"/> keeps to itself.</summary>
    internal BpfMap Fragments { get; private set; } = null!;

    internal BpfProgram Xdp { get; private set; } = null!;

    internal BpfProgram TcIngress { get; private set; } = null!;

    internal BpfProgram TcEgress { get; private set; } = null!;

    internal BpfProgram TcPod { get; private set; } = null!;

    internal BpfProgram Sweep { get; private set; } = null!;

    internal GroundDevice Up0 { get; } = new(101, Mac("02:00:00:00:10:01"), 1500, AddressPlan.IPv4.Node, AddressPlan.IPv6.Node);

    internal GroundDevice Up1 { get; } = new(
        102, Mac("02:00:00:00:20:01"), FarMtu, AddressPlan.IPv4.SecondNode, AddressPlan.IPv6.SecondNode);

    internal GroundDevice Pod { get; } = new(103, Mac("02:00:00:00:01:01"), 1500, default, default);

    internal MacAddress Router { get; } = Mac("02:00:00:00:10:fe");

    internal MacAddress Node2 { get; } = Mac("02:00:00:00:10:02");

    internal MacAddress Node3 { get; } = Mac("02:00:00:00:20:03");

    /// <summary>Where the namespace sends what is for an address: the device, and the MAC address of the next hop.</summary>
    internal (GroundDevice Device, MacAddress NextHop)? RouteTo(Address address)
    {
        foreach (var plan in new[] { AddressPlan.IPv4, AddressPlan.IPv6 })
        {
            if (SameNet(address, plan.RemotePod(0)))
                return (Up0, Node2);
            if (SameNet(address, plan.FarPod(0)))
                return (Up1, Node3);
            if (SameNet(address, plan.Client(0)) || SameNet(address, plan.Vip(0)))
                return (Up0, Router);
        }

        return null;
    }

    // A /24 of IPv4, a /64 of IPv6.
    private static bool SameNet(Address a, Address b)
    {
        Span<byte> left = stackalloc byte[16], right = stackalloc byte[16];
        a.CopyTo(left);
        b.CopyTo(right);
        int length = a.IsIPv4 ? 15 : 8;
        return a.IsIPv4 == b.IsIPv4 && left[..length].SequenceEqual(right[..length]);
    }

    internal static MacAddress Mac(string text) => new(Convert.FromHexString(text.Replace(":", "", StringComparison.Ordinal)));

    public async Task InitializeAsync()
    {
        if (!Environment.IsPrivilegedProcess)
            return;

        try
        {
            await LoadAsync();
            _namespace = NetworkNamespace.Create();
            await MakeNetworkAsync();
            _thread = new Thread(Work) { IsBackground = true };
            _thread.Start();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public Task DisposeAsync()
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        if (_disposed)
            return;

        _disposed = true;
        _work.CompleteAdding();
        _thread?.Join();
        foreach (var program in new[] { Xdp, TcIngress, TcEgress, TcPod, Sweep })
            program?.Dispose();
        Fragments?.Dispose();
        _maps?.Dispose();
        _bpffs.Dispose();
        _namespace?.Dispose();
        _work.Dispose();
    }

    /// <summary>Does something on the thread that is inside the namespace.</summary>
    public T Inside<T>(Func<T> function)
    {
        T result = default!;
        Exception? failure = null;
        using ManualResetEventSlim done = new();
        _work.Add(() =>
        {
            try
            {
                result = function();
            }
            catch (Exception exception)
            {
                failure = exception;
            }

            done.Set();
        });
        done.Wait();
        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
        return result;
    }

    public void Inside(Action action) => Inside(() =>
    {
        action();
        return true;
    });

    private async Task LoadAsync()
    {
        string objects = typeof(PacketGround).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(attribute => attribute.Key == "BpfObjects").Value!;
        var bpftool = new Bpftool(Bpftool.Locate(null), new ProcessRunner());
        string maps = _bpffs.Pin("maps");
        Directory.CreateDirectory(maps);
        await bpftool.LoadAllAsync(
            Path.Combine(objects, "lb_sock.bpf.o"), _bpffs.Pin("sock"), new Dictionary<string, string>(), maps, Eventually.Timeout());
        var pinned = MapNames.All.ToDictionary(name => name, name => Path.Combine(maps, name));
        foreach (string name in new[] { "xdp", "tc", "sweep" })
            await bpftool.LoadAllAsync(Path.Combine(objects, $"lb_{name}.bpf.o"), _bpffs.Pin(name), pinned, null, Eventually.Timeout());
        Xdp = BpfProgram.OpenPinned(_bpffs.Pin("xdp/xdp_ingress"));
        TcIngress = BpfProgram.OpenPinned(_bpffs.Pin("tc/tc_ingress"));
        TcEgress = BpfProgram.OpenPinned(_bpffs.Pin("tc/tc_egress"));
        TcPod = BpfProgram.OpenPinned(_bpffs.Pin("tc/tc_pod"));
        Sweep = BpfProgram.OpenPinned(_bpffs.Pin("sweep/ct_sweep"));
        _maps = KernelMaps.Open(maps, writable: true);
        Fragments = BpfMap.OpenPinned(Path.Combine(maps, MapNames.Fragments));
    }

    // No address is probed for duplicates, no router asked: what is here is here at once, and stays as it is.
    private async Task MakeNetworkAsync()
    {
        string batch = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(batch, """
                link set lo up
                link add up0 index 101 address 02:00:00:00:10:01 mtu 1500 type veth peer name up0peer index 201
                link add up1 index 102 address 02:00:00:00:20:01 mtu 1400 type veth peer name up1peer index 202
                link add pod11 index 103 address 02:00:00:00:01:01 mtu 1500 type veth peer name pod11peer index 203
                link set up0 addrgenmode none
                link set up1 addrgenmode none
                link set pod11 addrgenmode none
                link set up0 up
                link set up0peer up
                link set up1 up
                link set up1peer up
                link set pod11 up
                link set pod11peer up
                address add 10.10.0.1/24 dev up0
                address add 10.20.0.1/24 dev up1
                address add 172.31.0.1/32 dev lo
                address add 2001:db8:10::1/64 dev up0 nodad
                address add 2001:db8:20::1/64 dev up1 nodad
                address add 2001:db8:31::1/128 dev lo nodad
                neighbour add 10.10.0.254 lladdr 02:00:00:00:10:fe nud permanent dev up0
                neighbour add 10.10.0.2 lladdr 02:00:00:00:10:02 nud permanent dev up0
                neighbour add 10.20.0.3 lladdr 02:00:00:00:20:03 nud permanent dev up1
                neighbour add 2001:db8:10::fe lladdr 02:00:00:00:10:fe nud permanent dev up0
                neighbour add 2001:db8:10::2 lladdr 02:00:00:00:10:02 nud permanent dev up0
                neighbour add 2001:db8:20::3 lladdr 02:00:00:00:20:03 nud permanent dev up1
                route add 192.0.2.0/24 via 10.10.0.254 dev up0
                route add 203.0.113.0/24 via 10.10.0.254 dev up0
                route add 10.244.2.0/24 via 10.10.0.2 dev up0
                route add 10.244.3.0/24 via 10.20.0.3 dev up1
                route add 10.244.1.0/24 dev pod11
                route add 2001:db8:c::/64 via 2001:db8:10::fe dev up0
                route add 2001:db8:113::/64 via 2001:db8:10::fe dev up0
                route add 2001:db8:244:2::/64 via 2001:db8:10::2 dev up0
                route add 2001:db8:244:3::/64 via 2001:db8:20::3 dev up1
                route add 2001:db8:244:1::/64 dev pod11

                """);
            // A process is in the namespace of the thread that starts it.
            var result = await _namespace!.Run(() => new ProcessRunner().RunAsync("ip", ["-batch", batch], Eventually.Timeout()));
            Assert.True(result.ExitCode == 0, result.StdErr);
            _namespace.Run(() =>
            {
                // The tree shows the namespace of the thread that opens a file.
                File.WriteAllText("/proc/sys/net/ipv4/ip_forward", "1");
                File.WriteAllText("/proc/sys/net/ipv6/conf/all/forwarding", "1");
            });
        }
        finally
        {
            File.Delete(batch);
        }
    }

    private void Work() => _namespace!.Run(() =>
    {
        foreach (var action in _work.GetConsumingEnumerable())
            action();
    });
}

internal sealed record GroundDevice(uint Index, MacAddress Mac, ushort Mtu, Address SourceV4, Address SourceV6)
{
    public Address SourceOf(bool v6) => v6 ? SourceV6 : SourceV4;
}
