// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Conntrack;
using EbpfLb.Datapath.Status;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Agent.Tests;

public sealed class NodeSysctlsTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();
    private readonly WarningLog<NodeSysctls> _log = new();

    private readonly NodeSysctls _sysctls;

    public NodeSysctlsTests()
    {
        _sysctls = new NodeSysctls(_root.Path, _log);
        Write("net/ipv4/ip_local_reserved_ports", "8080\n");
        Write("net/ipv4/ip_forward", "1\n");
        Write("net/ipv6/conf/all/forwarding", "1\n");
    }

    private string Reserved => File.ReadAllText(_root.Combine("net/ipv4/ip_local_reserved_ports"));

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Ports_are_reserved_beside_what_is_and_only_once()
    {
        Prepare();
        Assert.Equal("8080,50000-65535", Reserved);
        var written = File.GetLastWriteTimeUtc(_root.Combine("net/ipv4/ip_local_reserved_ports"));
        Prepare();
        Assert.Equal(written, File.GetLastWriteTimeUtc(_root.Combine("net/ipv4/ip_local_reserved_ports")));
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public void What_cannot_be_read_as_ports_is_left_and_told()
    {
        Write("net/ipv4/ip_local_reserved_ports", "nonsense");
        Prepare();
        Assert.Equal("nonsense", Reserved);
        Prepare();
        string told = Assert.Single(_log.Lines);
        Assert.StartsWith("net.ipv4.ip_local_reserved_ports was not given ports 50000-65535: ", told, StringComparison.Ordinal);
        Assert.Equal([("net.ipv4.ip_local_reserved_ports", told)], Prepare().Select(problem => (problem.Subject, problem.Message)));

        Write("net/ipv4/ip_local_reserved_ports", "");
        Assert.Empty(Prepare());
    }

    [Fact]
    public void A_missing_sysctl_is_told_and_a_missing_family_is_not()
    {
        Directory.Delete(_root.Combine("net"), recursive: true);
        Prepare();
        Assert.Single(_log.Lines);
    }

    [Theory]
    [InlineData("net/ipv4/ip_forward", "net.ipv4.ip_forward")]
    [InlineData("net/ipv6/conf/all/forwarding", "net.ipv6.conf.all.forwarding")]
    public void S181_A_node_that_does_not_forward_is_told_so(string file, string name)
    {
        Write(file, "0\n");
        Prepare();
        Assert.StartsWith($"{name} is 0: ", Assert.Single(_log.Lines), StringComparison.Ordinal);
        Assert.Equal(name, Assert.Single(Prepare()).Subject);
        Assert.Single(_log.Lines);
        Write(file, "1\n");
        Assert.Empty(Prepare());
    }

    [Fact]
    public void S181_A_node_that_routes_its_loopback_addresses_is_told_so()
    {
        Write("net/ipv4/conf/all/route_localnet", "1\n");
        Assert.Equal("net.ipv4.conf.all.route_localnet", Assert.Single(Prepare()).Subject);
        Assert.Single(_log.Lines);
        Write("net/ipv4/conf/all/route_localnet", "0\n");
        Assert.Empty(Prepare());
    }

    [Fact]
    public void Forwarding_matters_in_families_that_packets_are_sent_on_in()
    {
        Write("net/ipv6/conf/all/forwarding", "0\n");
        Assert.Empty(Prepare(AddressFamily.IPv4));
        Assert.Single(Prepare(AddressFamily.IPv4, AddressFamily.IPv6));
    }

    private IReadOnlyList<Problem> Prepare() => Prepare(AddressFamily.IPv4, AddressFamily.IPv6);

    private IReadOnlyList<Problem> Prepare(params AddressFamily[] families) => _sysctls.Prepare(new FlowSettings(), families);

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_root.Combine(name))!);
        File.WriteAllText(_root.Combine(name), text);
    }
}
