// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text.Json;
using EbpfLb.Bench.Measuring;
using EbpfLb.Bench.Processes;
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using BackendFlags = EbpfLb.LoadBalancing.Desired.BackendFlags;

namespace EbpfLb.Bench.Packets;

/// <summary>
/// TCP of a client in the network through a NodePort, by the tc programs, against TCP straight to the pod over the same way: through the
/// same node, forth and back.
/// </summary>
internal sealed class TcpCost(BenchOptions options, Report report)
{
    private const double LeastRatio = 0.95;
    private const int ConnectionPort = 8080;
    private const int BulkPort = 9000;

    // The server answers here as well. With one port for both, a connection to the pod could have the addresses and ports that a
    // connection through the NodePort, a moment ago, had at the pod.
    private const int StraightPort = 8081;
    private const string Node = "10.10.0.1";
    private const string Client = "192.0.2.10";
    private const uint UplinkIndex = 101;

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    private readonly record struct Series(double PerSecond, double WholeP50Us);

    private sealed record Way(string Name, string Pod, string PodNamespace, int ConnectionNodePort, int BulkNodePort, BackendFlags Flags);

    private static readonly Way[] Ways =
    [
        new("pod on the node", "10.244.1.11", "P11", 30080, 30090, BackendFlags.InCluster | BackendFlags.OnNode),
        new("pod on another node", "10.244.2.21", "P21", 30081, 30091, BackendFlags.InCluster),
    ];

    public void Run(CancellationToken stopping)
    {
        using var sandbox = Sandbox.Create();
        using var datapath = LoadedDatapath.Load(sandbox.NewBpfFs("ours"));
        Prepare(sandbox, datapath);
        var servers = new List<FollowedProcess>();
        try
        {
            foreach (var way in Ways)
                servers.AddRange(Serve(sandbox, way, stopping));
            foreach (var way in Ways)
                Measure(sandbox, way, stopping);
            Console.Error.WriteLine($"  reasons: {datapath.DescribeReasons()}");
        }
        finally
        {
            servers.ForEach(server => server.Dispose());
        }
    }

    private static void Prepare(Sandbox sandbox, LoadedDatapath datapath)
    {
        datapath.AddDevice(UplinkIndex, MacOf(sandbox, "eth0"), Node, "fd00:10:10::1");
        foreach (var way in Ways)
        {
            foreach (var (nodePort, port) in new[] { (way.ConnectionNodePort, ConnectionPort), (way.BulkNodePort, BulkPort) })
            {
                datapath.AddService(Address.Parse("0.0.0.0"), nodePort, Protocol.Tcp, Algorithm.Random,
                    [new Backend(Address.Parse(way.Pod), (ushort)port, way.Flags)]);
            }
        }

        string links = Directory.CreateDirectory(sandbox.NewBpfFs("links")).FullName;
        Attach("eth0", datapath.TcIngress, "tcx-ingress");
        Attach("eth0", datapath.TcEgress, "tcx-egress");
        Attach("p11", datapath.TcEgress, "tcx-egress");

        // The straight way to the pod of the other node shall also be through this node, forth and back.
        In("N1", "sysctl", "-qw", "net.ipv4.conf.all.send_redirects=0", "net.ipv4.conf.eth0.send_redirects=0");
        In("C", "ip", "route", "add", $"{Ways[1].Pod}/32", "via", Node, "src", Client);
        In("N2", "ip", "route", "add", $"{Client}/32", "via", Node);

        void In(string name, params string[] command) =>
            Command.Run("nsenter", [$"--net={sandbox.Namespace(name)}", .. command], CancellationToken.None);

        void Attach(string device, string program, string hook) => Command.Run(BenchOptions.PacketTool,
            [
                "attach", "--netns", sandbox.NodeNamespace, "--device", device, "--program", program, "--hook", hook,
                "--link", Path.Combine(links, $"{device}-{hook}"),
            ],
            CancellationToken.None);
    }

    private static MacAddress MacOf(Sandbox sandbox, string device)
    {
        string json = Command.Run(
            "nsenter", [$"--net={sandbox.NodeNamespace}", "ip", "-j", "link", "show", device], CancellationToken.None);
        using var links = JsonDocument.Parse(json);
        string mac = links.RootElement[0].GetProperty("address").GetString()!;
        return new MacAddress(Convert.FromHexString(mac.Replace(":", "", StringComparison.Ordinal)));
    }

    private static IEnumerable<FollowedProcess> Serve(Sandbox sandbox, Way way, CancellationToken stopping)
    {
        yield return WaitUntilReady(new FollowedProcess(BenchOptions.Probe,
            "serve", "--name", way.PodNamespace, "--fast", "--tcp", Text(ConnectionPort), "--tcp", Text(StraightPort),
            "--netns", sandbox.Namespace(way.PodNamespace)));
        yield return WaitUntilReady(new FollowedProcess(BenchOptions.PacketTool,
            "sink", "--port", Text(BulkPort), "--netns", sandbox.Namespace(way.PodNamespace)));

        FollowedProcess WaitUntilReady(FollowedProcess server)
        {
            server.WaitForLine(line => line.Contains("ready", StringComparison.Ordinal), Deadline, stopping);
            return server;
        }
    }

    private void Measure(Sandbox sandbox, Way way, CancellationToken stopping)
    {
        string part = $"TCP from the network through a NodePort, tc, {way.Name}";
        var rates = new List<(Series NodePort, Series Pod)>();
        var floor = new List<(Series First, Series Second)>();
        var bulk = new Dictionary<int, List<(double NodePort, double Pod)>> { [1] = [], [8] = [] };
        for (int round = 0; round < options.PacketRounds; round++)
        {
            rates.Add(Rate(sandbox, (Node, way.ConnectionNodePort), (way.Pod, StraightPort), stopping));
            floor.Add(Rate(sandbox, (way.Pod, StraightPort), (way.Pod, StraightPort), stopping));
            foreach (var (streams, results) in bulk)
                results.Add(Bulk(sandbox, way, streams, stopping));
        }

        const string InTurn = "one process, a connection to each in turn; median of the rounds";
        const string Floor = "the pod on both sides: what this machine cannot tell apart";
        // One preempted connection weighs as much as hundreds of others: the median connection is the one to judge by on a busy machine.
        Figure("rate of the median connection, NodePort / pod",
            rates.Select(pair => pair.Pod.WholeP50Us / pair.NodePort.WholeP50Us), "", InTurn, Bar.Least(LeastRatio));
        Figure("rate of the median connection: noise floor",
            floor.Select(pair => pair.Second.WholeP50Us / pair.First.WholeP50Us), "", Floor);
        Figure("new connections, NodePort / pod", rates.Select(pair => pair.NodePort.PerSecond / pair.Pod.PerSecond), "", InTurn,
            Bar.Least(LeastRatio));
        Figure("new connections: noise floor", floor.Select(pair => pair.First.PerSecond / pair.Second.PerSecond), "", Floor);
        Figure("new connections, NodePort", rates.Select(pair => pair.NodePort.PerSecond), "conn/s", "one client; dial, first byte, reset");
        foreach (var (streams, results) in bulk)
        {
            string name = streams == 1 ? "1 stream" : $"{streams} streams";
            Figure($"throughput, {name}, NodePort / pod", results.Select(pair => pair.NodePort / pair.Pod), "",
                "one process, in turn by fifths of a second", Bar.Least(LeastRatio));
            Figure($"throughput, {name}, NodePort", results.Select(pair => pair.NodePort / 1e3), "Gbit/s", "acknowledged bytes");
        }

        void Figure(string name, IEnumerable<double> values, string unit, string method, Bar? bar = null) =>
            report.Add(Measurement.Median(part, name, new Sample(values), unit, method, bar));
    }

    private (Series First, Series Second) Rate(
        Sandbox sandbox, (string Address, int Port) first, (string Address, int Port) second, CancellationToken stopping)
    {
        string json = Command.Run(BenchOptions.Probe,
            [
                "bench", first.Address, Text(first.Port), "--direct", second.Address, "--direct-port", Text(second.Port),
                "--seconds", Text((int)Math.Ceiling(options.Seconds)), "--netns", sandbox.Namespace("C"),
            ],
            stopping);
        using var result = JsonDocument.Parse(json);
        return (Read(result.RootElement), Read(result.RootElement.GetProperty("direct")));

        static Series Read(JsonElement series) => series.GetProperty("failed").GetInt64() is > 0 and var failed
            ? throw new BenchException($"{failed} connections failed: {series.GetProperty("failures")}")
            : new Series(series.GetProperty("per_second").GetDouble(), series.GetProperty("whole_us").GetProperty("p50").GetDouble());
    }

    private (double NodePort, double Pod) Bulk(Sandbox sandbox, Way way, int streams, CancellationToken stopping)
    {
        string json = Command.Run(BenchOptions.PacketTool,
            [
                "bulk", "--netns", sandbox.Namespace("C"),
                "--pair", $"{Node}:{Text(way.BulkNodePort)}", "--pair", $"{way.Pod}:{Text(BulkPort)}",
                "--streams", Text(streams), "--seconds", options.Seconds.ToString(CultureInfo.InvariantCulture),
            ],
            stopping);
        using var result = JsonDocument.Parse(json);
        var both = result.RootElement.GetProperty("mbits");
        return (both[0].GetDouble(), both[1].GetDouble());
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
