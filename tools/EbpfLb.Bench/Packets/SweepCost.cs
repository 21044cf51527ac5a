// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using System.Globalization;
using EbpfLb.Bench.Measuring;
using EbpfLb.Bench.Processes;
using EbpfLb.Datapath.Conntrack;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux.Processes;
using EbpfLb.LoadBalancing.Model;
using Microsoft.Extensions.Logging.Abstractions;
using KernelDatapath = EbpfLb.Datapath.Loading.Datapath;

namespace EbpfLb.Bench.Packets;

/// <summary>What it takes to go once over a large conntrack table, as the agent does every few seconds.</summary>
internal sealed class SweepCost(BenchOptions options, Report report)
{
    private const uint Entries = 1_048_576;
    private const int Flows = 500_000;
    private const int Backends = 100;
    private const double MostProcessorMs = 1000;

    // An LRU map may give up an entry before it is full.
    private const double LeastKept = 0.999;

    private static readonly Address Service = Address.Parse("203.0.113.1");
    private static readonly Address Node = Address.Parse("10.10.0.1");
    private static readonly string Part = $"sweep of {Entries:#,##0} entries, {Flows:#,##0} flows, half TCP, half UDP";

    private readonly record struct Run(double ProcessorMs, double WallMs);

    public async Task RunAsync(CancellationToken stopping)
    {
        using var sandbox = Sandbox.Create();
        var bpftool = new Bpftool(Bpftool.Locate(null), new ProcessRunner());
        var wanted = new DatapathOptions
        {
            BpfFs = sandbox.NewBpfFs("sweep"),
            Cgroup = sandbox.FirstCgroup,
            MapSizes = new Dictionary<string, uint> { [MapNames.Conntrack] = Entries },
        };
        using var datapath = await KernelDatapath.OpenAsync(wanted, bpftool, NullLogger<KernelDatapath>.Instance, stopping);
        new NodeSettings(datapath.Maps.Settings).Write(new FlowSettings(), 0);
        for (uint id = 1; id <= Backends; id++)
        {
            Check(datapath.Maps.Backends.Put(id, new BackendValue { Address = BackendOf((int)id - 1), Port = new BigEndian16(8080) }));
            Check(datapath.Maps.Counters.Put(id, default));
        }

        using var sweep = new ConntrackSweep(datapath.ProgramDirectory);
        // One thread from fill to reading, because the processor's time is counted by the thread.
        await Task.Factory.StartNew(() => Measure(datapath.Maps, sweep, stopping), stopping, TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
    }

    private void Measure(KernelMaps maps, ConntrackSweep sweep, CancellationToken stopping)
    {
        foreach (bool expired in new[] { false, true })
        {
            var runs = new List<Run>();
            for (int i = 0; i < options.Sweeps; i++)
            {
                stopping.ThrowIfCancellationRequested();
                Fill(maps, expired);
                runs.Add(Time(sweep, expired));
            }

            string kind = expired ? "all expired" : "all alive";
            const string Method = "of the one call; every flow has counted something since the last";
            report.Add(Measurement.Worst(Part, $"{kind}, processor time, longest", new Sample(runs.Select(run => run.ProcessorMs)), "ms",
                Method, Bar.Most(MostProcessorMs)));
            report.Add(Measurement.Median(Part, $"{kind}, wall time, median", new Sample(runs.Select(run => run.WallMs)), "ms", Method));
        }
    }

    private static Run Time(ConntrackSweep sweep, bool expired)
    {
        double busy = ProcessorMs();
        long start = Stopwatch.GetTimestamp();
        var swept = sweep.Run(deadBackendSeconds: 60);
        double wall = Stopwatches.MillisecondsSince(start);
        double processor = ProcessorMs() - busy;
        ulong least = (ulong)(LeastKept * 2 * Flows);
        bool isAsExpected = expired ? swept.Expired >= least : swept.Flows * 2 >= least && swept.Expired == 0 && swept.HalfOpen == 0;
        return isAsExpected ? new Run(processor, wall) : throw new BenchException($"the sweep found something else than was put in: {swept}");
    }

    /// <summary>Of this thread; the kernel adds up when it leaves the processor.</summary>
    private static double ProcessorMs()
    {
        Thread.Sleep(1);
        return long.Parse(File.ReadAllText("/proc/thread-self/schedstat").Split(' ')[0], CultureInfo.InvariantCulture) / 1e6;
    }

    private static void Fill(KernelMaps maps, bool expired)
    {
        uint now = (uint)((ulong)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency)) >> 20);
        // Older than any timeout; the clock wraps, and so may this.
        uint seen = expired ? unchecked(now - 10_000 * 1000) : now;
        for (int i = 0; i < Flows; i++)
        {
            var protocol = i % 2 == 0 ? Protocol.Tcp : Protocol.Udp;
            int backend = i / 2 % Backends;
            var value = new ConntrackValue
            {
                Mtu = 1500,
                Seen = seen,
                Checked = seen,
                Bytes = 1000,
                Packets = 10,
                Generation = 1,
                BackendId = (uint)backend + 1,
            };
            var client = Address.FromNetworkOrder([20, (byte)(i >> 20), (byte)(i >> 12), (byte)(i >> 4)]);
            var clientPort = new BigEndian16((ushort)(1024 + i % 16));
            var snatPort = new BigEndian16((ushort)(50000 + i / 2 / Backends));
            var (servicePort, podPort, pod) = (new BigEndian16(80), new BigEndian16(8080), BackendOf(backend));
            Check(maps.Conntrack.Put(
                Key(client, clientPort, Service, servicePort),
                value with
                {
                    Source = Node,
                    SourcePort = snatPort,
                    Destination = pod,
                    DestinationPort = podPort,
                    Flags = ConntrackFlags.Data,
                }));
            Check(maps.Conntrack.Put(
                Key(pod, podPort, Node, snatPort),
                value with
                {
                    Source = Service,
                    SourcePort = servicePort,
                    Destination = client,
                    DestinationPort = clientPort,
                    Flags = ConntrackFlags.Data | ConntrackFlags.Reply,
                }));

            ConntrackKey Key(Address source, BigEndian16 sourcePort, Address destination, BigEndian16 destinationPort) => new()
            {
                Source = source,
                SourcePort = sourcePort,
                Destination = destination,
                DestinationPort = destinationPort,
                Protocol = protocol,
                Side = Side.Ingress,
            };
        }
    }

    private static Address BackendOf(int number) => Address.FromNetworkOrder([10, 244, 2, (byte)(number + 1)]);

    private static void Check(MapWrite write)
    {
        if (!write.Succeeded)
            throw new BenchException($"a map took no entry: {write.ErrnoName}");
    }
}
