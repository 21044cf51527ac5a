// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Sync;
using EbpfLb.Linux;
using EbpfLb.Linux.Clocks;
using EbpfLb.Linux.Processes;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using Microsoft.Extensions.Logging.Abstractions;

namespace EbpfLb.Cli.Tests.Support;

/// <summary>
/// A node of the test's own: a BPF file system, a cgroup nobody is in, and the real datapath with what a test programs into it.
/// </summary>
internal sealed class TestNode : IDisposable
{
    private const string NodeName = "node1";

    private readonly PrivateBpffs _bpffs = new();
    private readonly ChildCgroup _cgroup = new();
    private DatapathSync? _sync;

    public TestNode(bool installed = true)
    {
        InitialEntries = [.. Directory.GetFileSystemEntries(BpfFs).Order()];
        if (installed)
            Start();
    }

    public string BpfFs => _bpffs.Path;

    /// <summary>What the kernel itself puts on a BPF file system.</summary>
    public IReadOnlyList<string> InitialEntries { get; }

    public string Cgroup => _cgroup.Path;

    public string PinPath => Path.Combine(BpfFs, "ebpflb");

    /// <summary>Null while "the agent" is down.</summary>
    public Datapath.Loading.Datapath? Datapath { get; private set; }

    public static ulong NowNs => MonotonicClock.NowNs;

    /// <summary>What an agent does first; until <see cref="Stop"/> this process holds its lock.</summary>
    public void Start(params (string Map, uint Entries)[] sizes)
    {
        var options = new DatapathOptions
        {
            BpfFs = BpfFs,
            Cgroup = Cgroup,
            MapSizes = sizes.ToDictionary(size => size.Map, size => size.Entries),
        };
        var bpftool = new Bpftool(Bpftool.Locate(null), new ProcessRunner());
        Datapath = EbpfLb.Datapath.Loading.Datapath
            .OpenAsync(options, bpftool, NullLogger<Datapath.Loading.Datapath>.Instance, CancellationToken.None).GetAwaiter().GetResult();
        _sync = DatapathSync.Restore(Datapath.Maps, new DatapathSyncOptions(), TimeProvider.System);
    }

    public void Stop()
    {
        Datapath?.Dispose();
        Datapath = null;
    }

    public ApplyReport Program(params DesiredService[] services) =>
        _sync!.Apply(new DesiredChanges(services, [], [], []), complete: true);

    public static DesiredService Service(string @namespace, string name, params DesiredPort[] ports) =>
        new(new ObjectName(@namespace, name), ports.Select(port => port with { Key = port.Key with { Service = new(@namespace, name) } })
            .ToEquatableArray());

    public static DesiredPort Port(string name, Protocol protocol, string vip, ushort port, params Backend[] backends)
    {
        var address = Address.Parse(vip);
        return new DesiredPort
        {
            Key = new ServicePortKey(default, name, protocol, address.Family),
            Frontends = [new Frontend(new FrontendAddress(address, port, protocol), FrontendKind.ClusterIP)],
            Backends = backends.OrderBy(backend => backend.Address).ThenBy(backend => backend.Port).ToEquatableArray(),
            HasEndpoints = backends.Length > 0,
        };
    }

    public static Backend Backend(string address, ushort port, BackendFlags flags = BackendFlags.InCluster) =>
        new(Address.Parse(address), port, flags);

    public uint ServiceId(string name) =>
        Datapath!.Maps.ServiceNames.ReadAll().Single(entry => entry.Value.Name.ToString() == name).Key;

    public uint BackendId(string address) =>
        Datapath!.Maps.Backends.ReadAll().Single(entry => entry.Value.Address == Address.Parse(address)).Key;

    public void WriteAgent(Func<AgentValue, AgentValue>? with = null)
    {
        var value = new AgentValue
        {
            // A machine may be up for minutes only.
            StartedNs = NowNs - 190_000_000_000,
            SyncedNs = NowNs - 5_000_000_000,
            Syncs = 12,
            Pid = (uint)Environment.ProcessId,
            Services = 3,
            Version = "0.1.0",
            Node = NodeName,
            Source = "manifests /etc/ebpflb",
        };
        Datapath!.Maps.Agent.At<AgentValue>(0) = with is null ? value : with(value);
    }

    public void WriteSettings(SettingsValue value) => Datapath!.Maps.Settings.At<SettingsValue>(0) = value;

    /// <summary>Each CPU gets the count once, so that a sum can be told from the value of one.</summary>
    /// <returns>The number of CPUs.</returns>
    public ulong WriteReason(Hook hook, Reason reason, ulong packets, ulong bytes)
    {
        uint index = ((uint)hook * ((uint)Enum.GetValues<Reason>().Max() + 1)) + (uint)reason;
        var counts = new CountValue[PossibleCpus.Count];
        Array.Fill(counts, new CountValue { Packets = packets, Bytes = bytes });
        Assert.Equal(
            Errno.None,
            Datapath!.Maps.Reasons.Update(BitConverter.GetBytes(index), MemoryMarshal.AsBytes(counts.AsSpan())));
        return (ulong)counts.Length;
    }

    public void WriteCounters(uint backendId, CountersValue value) =>
        Assert.True(Datapath!.Maps.Counters.Put(backendId, value).Succeeded);

    public void WriteFrontend(uint serviceId, string address, ushort port, FrontendFlags flags) => Assert.True(
        Datapath!.Maps.Frontends.Put(
            new FrontendKey { Address = Address.Parse(address), Port = new(port), Protocol = Protocol.Tcp },
            new FrontendValue { ServiceId = serviceId, Flags = flags }).Succeeded);

    public void WriteProblem(uint number, string @object, string message) =>
        Assert.True(Datapath!.Maps.Problems.Put(number, new ProblemValue { Object = @object, Message = message }).Succeeded);

    public void WriteAffinity(AffinityKey key, AffinityValue value) => Assert.True(Datapath!.Maps.Affinity.Put(key, value).Succeeded);

    public void Dispose()
    {
        Stop();
        _bpffs.Dispose();
        _cgroup.Dispose();
    }
}
