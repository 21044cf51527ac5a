// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Conntrack;

namespace EbpfLb.Agent.Tests;

public sealed class NodeSysctlsTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();
    private readonly WarningLog<NodeSysctls> _log = new();

    public NodeSysctlsTests()
    {
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
        Assert.Contains("net.ipv4.ip_local_reserved_ports was not given ports 50000-65535", Assert.Single(_log.Lines), StringComparison.Ordinal);
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
    public void A_node_that_does_not_forward_is_told_so(string file, string name)
    {
        Write(file, "0\n");
        Prepare();
        Assert.StartsWith($"{name} is 0: ", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    private void Prepare() => new NodeSysctls(_root.Path, _log).Prepare(new FlowSettings());

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_root.Combine(name))!);
        File.WriteAllText(_root.Combine(name), text);
    }
}
