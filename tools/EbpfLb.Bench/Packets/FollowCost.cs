// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using EbpfLb.Bench.Measuring;
using EbpfLb.Bench.Processes;

namespace EbpfLb.Bench.Packets;

/// <summary>
/// How long an established flow to a backend on another node is lost after the way there has changed. The old way is dead before
/// each change, so that what is answered after it went the new one.
/// </summary>
internal sealed class FollowCost(BenchOptions options, Report report)
{
    private const double MostMs = 100;
    private const string LoadBalancer = "203.0.113.1";
    private const int Port = 80;
    private const int PodPort = 8080;
    private const string BackendNet = "10.244.2.0/24";
    private const string Neighbour = "10.10.0.2";

    private const string Manifest =
        """
        apiVersion: v1
        kind: Service
        metadata: {name: follow, namespace: bench}
        spec:
          type: LoadBalancer
          clusterIP: 10.96.0.10
          clusterIPs: [10.96.0.10]
          ports: [{name: udp, protocol: UDP, port: 80, nodePort: 30080}]
        status:
          loadBalancer: {ingress: [{ip: 203.0.113.1}]}
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata:
          name: follow-v4
          namespace: bench
          labels: {kubernetes.io/service-name: follow}
        addressType: IPv4
        ports: [{name: udp, protocol: UDP, port: 8080}]
        endpoints: [{addresses: ["10.244.2.21"], nodeName: n2}]

        """;

    // Two more ways to the other node, over the same wire.
    private static readonly (string Device, string Address)[] Hops = [("hop1", "10.10.0.11"), ("hop2", "10.10.0.12")];

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Calm = TimeSpan.FromMilliseconds(100);

    public void Run(CancellationToken stopping)
    {
        foreach (bool xdp in new[] { true, false })
            Run(xdp, stopping);
    }

    private void Run(bool xdp, CancellationToken stopping)
    {
        string directory = Directory.CreateTempSubdirectory("ebpflb-follow-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(directory, "follow.yaml"), Manifest);
            using var sandbox = Sandbox.Create();
            Prepare(sandbox, xdp);
            using var server = new FollowedProcess(BenchOptions.Probe,
                "serve", "--name", "p21", "--udp", Text(PodPort), "--netns", sandbox.Namespace("P21"));
            server.WaitForLine(line => line.Contains("ready", StringComparison.Ordinal), Deadline, stopping);
            using var agent = new AgentProcess(
                options.Agent, sandbox, sandbox.NewBpfFs("follow"), ["--manifests", directory, "--xdp", xdp ? "auto" : "off"]);
            agent.WaitForFirstSync(stopping);
            if (HasXdp(sandbox) != xdp)
                throw new BenchException($"the agent has {(xdp ? "no" : "an")} XDP program on the uplink");
            using var pulse = new FollowedProcess(BenchOptions.PacketTool,
                "pulse", "--netns", sandbox.Namespace("C"), "--destination", LoadBalancer, "--port", Text(Port));
            Measure(sandbox, xdp ? "XDP" : "tc", pulse, stopping);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private void Measure(Sandbox sandbox, string hook, FollowedProcess pulse, CancellationToken stopping)
    {
        string part = $"a flow to another node follows its way, {hook}";
        var routes = new List<double>();
        var neighbours = new List<double>();
        In(sandbox, "N1", "ip", "route", "replace", BackendNet, "via", Hops[0].Address);
        for (int i = 0; i < options.Moves; i++)
        {
            var from = Hops[i % 2];
            var to = Hops[(i + 1) % 2];
            In(sandbox, "N2", "ip", "link", "set", to.Device, "up");
            routes.Add(Lost(pulse,
                () => In(sandbox, "N2", "ip", "link", "set", from.Device, "down"),
                () => In(sandbox, "N1", "ip", "route", "replace", BackendNet, "via", to.Address),
                stopping));
        }

        In(sandbox, "N1", "ip", "route", "replace", BackendNet, "via", Neighbour);
        for (int i = 0; i < options.Moves; i++)
        {
            string mac = string.Create(CultureInfo.InvariantCulture, $"02:eb:00:00:01:{i:x2}");
            neighbours.Add(Lost(pulse,
                () => In(sandbox, "N2", "ip", "link", "set", "eth0", "address", mac),
                () => In(sandbox, "N1", "ip", "neigh", "replace", Neighbour, "lladdr", mac, "dev", "eth0", "nud", "reachable"),
                stopping));
        }

        Add("route to another next hop", routes);
        Add("next hop has another MAC address", neighbours);

        void Add(string name, IReadOnlyList<double> gaps)
        {
            const string Method = "to the first answer; a datagram each ms; starting 'ip' is part of it";
            report.Add(Measurement.Median(part, $"{name}, median", new Sample(gaps), "ms", Method));
            report.Add(Measurement.Worst(part, $"{name}, longest", new Sample(gaps), "ms", Method, Bar.Most(MostMs)));
        }
    }

    /// <returns>Milliseconds from the beginning of the change to the first answer to a datagram that was sent when the old way was dead.</returns>
    private static double Lost(FollowedProcess pulse, Action end, Action change, CancellationToken stopping)
    {
        Thread.Sleep(Calm);
        long calm = Now();
        pulse.WaitForLine(line => Parse(line).Asked > calm, Deadline, stopping);
        end();
        long dead = Now();
        change();
        var first = Parse(pulse.WaitForLine(line => Parse(line).Asked > dead, Deadline, stopping).Text);
        return (first.Answered - dead) / 1e6;
    }

    // CLOCK_MONOTONIC, as the tool has it.
    private static long Now() => (long)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency));

    private static (long Asked, long Answered) Parse(string line)
    {
        int space = line.IndexOf(' ', StringComparison.Ordinal);
        return (long.Parse(line.AsSpan(0, space), CultureInfo.InvariantCulture),
            long.Parse(line.AsSpan(space + 1), CultureInfo.InvariantCulture));
    }

    private static void Prepare(Sandbox sandbox, bool xdp)
    {
        In(sandbox, "C", "ip", "route", "add", $"{LoadBalancer}/32", "via", "10.10.0.1", "src", "192.0.2.10");
        // An address is asked for at the device that has it, and at no other.
        In(sandbox, "N2", "sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=1");
        foreach (var (device, address) in Hops)
        {
            In(sandbox, "N2", "ip", "link", "add", device, "link", "eth0", "type", "macvlan", "mode", "private");
            In(sandbox, "N2", "ip", "addr", "add", $"{address}/32", "dev", device);
            In(sandbox, "N2", "ip", "link", "set", device, "up");
        }

        if (!xdp)
            return;

        // XDP sees whole packets, and the other end of the wire takes frames that XDP sends.
        string programs = Path.Combine(sandbox.NewBpfFs("fabric"), "programs");
        Command.Run("bpftool",
            ["prog", "loadall", Path.Combine(BenchOptions.RepositoryRoot, "artifacts/bench/xdpbench.bpf.o"), programs],
            CancellationToken.None);
        foreach (string device in new[] { "n1", "n2" })
        {
            Command.Run(BenchOptions.Probe, ["offload", device, "off", "--netns", sandbox.Namespace("C")], CancellationToken.None);
            In(sandbox, "C", "ip", "link", "set", "dev", device, "xdp", "pinned", Path.Combine(programs, "pass"));
        }
    }

    private static bool HasXdp(Sandbox sandbox)
    {
        using var links = JsonDocument.Parse(In(sandbox, "N1", "ip", "-j", "-d", "link", "show", "eth0"));
        return links.RootElement[0].TryGetProperty("xdp", out _);
    }

    private static string In(Sandbox sandbox, string name, params string[] command) =>
        Command.Run("nsenter", [$"--net={sandbox.Namespace(name)}", .. command], CancellationToken.None);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
