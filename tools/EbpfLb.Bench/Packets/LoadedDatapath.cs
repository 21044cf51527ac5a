// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Maglev;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Bench.Packets;

/// <summary>The objects of this build in a BPF file system, and their maps, written as the agent writes them.</summary>
internal sealed class LoadedDatapath : IDisposable
{
    private const string Sockets = "lb_sock.bpf.o";
    private const string Xdp = "lb_xdp.bpf.o";
    private const string Tc = "lb_tc.bpf.o";

    private readonly string _directory;
    private uint _lastService;
    private uint _lastBackend;
    private uint _nextSlot;

    private LoadedDatapath(string directory, KernelMaps maps)
    {
        _directory = directory;
        Maps = maps;
        Maps.Settings.At<SettingsValue>(0) = new SettingsValue
        {
            Generation = 1,
            SnatPortFirst = 50000,
            SnatPortLast = 65535,
            NodePortFirst = 30000,
            NodePortLast = 32767,
            TcpSynSeconds = 30,
            TcpEstablishedSeconds = 8000,
            TcpFinSeconds = 3600,
            TcpClosedSeconds = 10,
            UdpSeconds = 60,
            SctpSeconds = 300,
            PairCheckMs = 1000,
            RepliesPerSecond = 1000,
        };
    }

    public KernelMaps Maps { get; }

    public string XdpIngress => Program(Xdp, "xdp_ingress");

    public string TcIngress => Program(Tc, "tc_ingress");

    public string TcEgress => Program(Tc, "tc_egress");

    /// <param name="directory">Of a BPF file system; does not exist yet.</param>
    public static LoadedDatapath Load(string directory)
    {
        Directory.CreateDirectory(directory);
        string maps = Path.Combine(directory, "maps");
        // The object for sockets makes every map; the others use them.
        LoadAll(directory, Sockets, "pinmaps", maps);
        string[] known = [.. MapNames.All.SelectMany(name => new[] { "map", "name", name, "pinned", Path.Combine(maps, name) })];
        LoadAll(directory, Xdp, known);
        LoadAll(directory, Tc, known);
        return new LoadedDatapath(directory, KernelMaps.Open(maps, writable: true));
    }

    /// <summary>A device of the node that has the programs.</summary>
    public void AddDevice(uint index, MacAddress mac, string address, string addressV6)
    {
        Check(MapNames.Devices, Maps.Devices.Put(index, new DeviceValue
        {
            SourceV4 = Address.Parse(address),
            SourceV6 = Address.Parse(addressV6),
            Mac = mac,
            Mtu = 1500,
            Flags = DeviceFlags.Attached | DeviceFlags.XdpSends | DeviceFlags.XdpTurns,
        }));
        foreach (string text in new[] { address, addressV6 })
        {
            Check(MapNames.NodeAddresses,
                Maps.NodeAddresses.Put(Address.Parse(text), new NodeAddressValue { Flags = NodeAddressFlags.NodePorts }));
        }
    }

    /// <param name="frontend">Of a load balancer; the wildcard is a NodePort.</param>
    public void AddService(Address frontend, int port, Protocol protocol, Algorithm algorithm, ReadOnlySpan<Backend> backends)
    {
        uint service = ++_lastService;
        uint first = _lastBackend + 1;
        foreach (var backend in backends)
        {
            Check(MapNames.Backends, Maps.Backends.Put(++_lastBackend, new BackendValue
            {
                Address = backend.Address,
                Port = new BigEndian16(backend.Port),
                Protocol = protocol,
                Flags = backend.Flags,
                ServiceId = service,
            }));
            Check(MapNames.Counters, Maps.Counters.Put(_lastBackend, default));
        }

        int[] table = algorithm == Algorithm.Maglev
            ? MaglevTable.Build(backends, protocol, MaglevSize.Adaptive(backends.Length), MaglevOptions.DefaultSeed.AsSpan())
            : [.. Enumerable.Range(0, backends.Length)];
        Maps.Slots.Write(_nextSlot, [.. table.Select(index => first + (uint)index)]);
        var range = new SlotRange { Base = _nextSlot, Count = (uint)table.Length };
        _nextSlot += range.Count;

        bool isNodePort = frontend == Address.Parse("0.0.0.0") || frontend == Address.Parse("::");
        Check(MapNames.Services, Maps.Services.Put(service,
            new ServiceValue { Cluster = range, Algorithm = algorithm, Flags = ServiceFlags.HasEndpoints }));
        if (!isNodePort)
            Check(MapNames.Vips, Maps.Vips.Put(frontend, default));
        Check(MapNames.Frontends, Maps.Frontends.Put(
            new FrontendKey { Address = frontend, Port = new BigEndian16((ushort)port), Protocol = protocol },
            new FrontendValue { ServiceId = service, Flags = isNodePort ? FrontendFlags.NodePort : FrontendFlags.LoadBalancer }));
    }

    /// <summary>By name, those that are not 0; summed over the processors and the hooks.</summary>
    public IReadOnlyDictionary<string, long> Reasons()
    {
        uint reasons = Enum.GetValues<Reason>().Max(reason => (uint)reason) + 1;
        var sums = new SortedDictionary<string, long>(StringComparer.Ordinal);
        Maps.Reasons.ReadAll((key, value) =>
        {
            string name = ((Reason)(BitConverter.ToUInt32(key) % reasons)).ToString();
            long packets = 0;
            foreach (var count in MemoryMarshal.Cast<byte, CountValue>(value))
                packets += (long)count.Packets;
            if (packets > 0)
                sums[name] = sums.GetValueOrDefault(name) + packets;
        });
        return sums;
    }

    public string DescribeReasons() => string.Join(", ", Reasons().Select(reason => $"{reason.Key} {reason.Value}"));

    public void Dispose() => Maps.Dispose();

    private static void LoadAll(string directory, string name, params string[] more) => Command.Run("bpftool",
        ["prog", "loadall", Path.Combine(BenchOptions.RepositoryRoot, "artifacts/bpf", name), ProgramDirectory(directory, name), .. more],
        CancellationToken.None);

    private static string ProgramDirectory(string directory, string objectName) =>
        Path.Combine(directory, objectName[..objectName.IndexOf('.', StringComparison.Ordinal)]);

    private static void Check(string map, MapWrite write)
    {
        if (!write.Succeeded)
            throw new BenchException($"{map}: {write.ErrnoName}");
    }

    private string Program(string objectName, string name) => Path.Combine(ProgramDirectory(_directory, objectName), name);
}
