// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Bench.Comparison.Services;
using EbpfLb.Bench.Packets;
using EbpfLb.Bench.Processes;

namespace EbpfLb.Bench.Comparison.Traffic;

/// <summary>
/// A playground whose node n1 is under test, with the backends in its pods. There is one for each mode, all alike, so that a turn of
/// another mode programs nothing anew; one that is idle costs nothing.
/// </summary>
internal sealed class ComparedNode : IDisposable
{
    private const string Client = "192.0.2.10";

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    private static readonly (string Pod, int Port, char Name)[] Servers =
    [
        ("P11", ComparedCluster.BackendPort, 'A'), ("P13", ComparedCluster.BackendPort, 'A'), ("P14", ComparedCluster.BackendPort, 'A'),
        ("P21", ComparedCluster.BackendPort, 'A'), ("P22", ComparedCluster.BackendPort, 'A'),
        ("P13", ComparedCluster.FirstMovePort, ComparedNode.FirstPlace), ("P14", ComparedCluster.SecondMovePort, ComparedNode.SecondPlace),
    ];

    private readonly List<FollowedProcess> _servers = [];

    private ComparedNode(Sandbox sandbox) => Sandbox = sandbox;

    /// <summary>What the backend of the moving service calls itself at either place.</summary>
    public const char FirstPlace = 'F';

    public const char SecondPlace = 'S';

    public Sandbox Sandbox { get; }

    public string Namespace => Sandbox.NodeNamespace;

    public static ComparedNode Create(CancellationToken stopping)
    {
        var node = new ComparedNode(Sandbox.Create());
        try
        {
            node.Connect(stopping);
            node.Serve(stopping);
            return node;
        }
        catch
        {
            node.Dispose();
            throw;
        }
    }

    /// <param name="place">As the playground's picture has it: N1, P21, C.</param>
    public string CgroupOf(string place) => place switch
    {
        "C" or "D" => Sandbox.OutsideCgroup,
        "N2" or "P21" or "P22" => Sandbox.SecondCgroup,
        _ => Sandbox.FirstCgroup,
    };

    public void In(string place, CancellationToken stopping, params IEnumerable<string> command) =>
        Command.Run("nsenter", [$"--net={Sandbox.Namespace(place)}", .. command], stopping);

    public void Dispose()
    {
        foreach (var server in _servers)
            server.Dispose();
        Sandbox.Dispose();
    }

    private void Connect(CancellationToken stopping)
    {
        // Pods are routed: what goes from one to another passes the node's stack, as what goes to a service does in every mode.
        foreach (string pod in new[] { "P11", "P12", "P13", "P14" })
        {
            In(pod, stopping, "ip", "route", "add", "10.244.1.1", "dev", "eth0");
            In(pod, stopping, "ip", "route", "del", "10.244.1.0/24");
        }

        In("N1", stopping, "sysctl", "-qw", "net.ipv4.conf.all.send_redirects=0", "net.ipv4.conf.eth0.send_redirects=0",
            "net.ipv4.conf.br0.send_redirects=0");
        foreach (string place in new[] { "N1", "N2", "C" })
        {
            if (File.Exists("/proc/sys/net/bridge/bridge-nf-call-iptables"))
                In(place, stopping, "sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=0");
        }

        // The straight way to a pod of the other node shall lead through the node under test too, forth and back.
        foreach (string address in ComparedCluster.RemoteBackends.Select(backend => backend.Address).Append(ComparedCluster.LoadBalancer))
            In("C", stopping, "ip", "route", "add", $"{address}/32", "via", ComparedCluster.NodeAddress, "src", Client);
        In("N2", stopping, "ip", "route", "add", $"{Client}/32", "via", ComparedCluster.NodeAddress);

        // Frames that XDP sends back through a veth are taken only if its other end has a program too. A wire has no such thing, so in
        // every mode it is there.
        In("C", stopping, "ip", "link", "set", "dev", "n1", "xdpdrv", "object", BenchOptions.PassProgram, "section", "xdp");
    }

    private void Serve(CancellationToken stopping)
    {
        foreach (var (pod, port, name) in Servers)
        {
            _servers.Add(new FollowedProcess(BenchOptions.LoadGenerator,
                "serve", "--port", port.ToString(CultureInfo.InvariantCulture), "--name", $"{name}",
                "--cgroup", CgroupOf(pod), "--netns", Sandbox.Namespace(pod)));
        }

        foreach (var server in _servers)
            server.WaitForLine(line => line.Contains("ready", StringComparison.Ordinal), Deadline, stopping);
    }
}
