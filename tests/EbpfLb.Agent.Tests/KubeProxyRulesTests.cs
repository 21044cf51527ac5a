// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux;
using EbpfLb.Linux.Processes;

namespace EbpfLb.Agent.Tests;

public sealed class KubeProxyRulesTests
{
    private readonly ManualTime _time = new();
    private readonly WarningLog<KubeProxyRulesTests> _log = new();
    private IReadOnlyList<string> _places = [];

    [Fact]
    public void S180_Rules_are_told_once_and_gone_when_they_are()
    {
        var rules = new KubeProxyRules(() => _places, _time, _log);
        Assert.Empty(rules.Look());
        _places = ["table ip kube-proxy of nftables"];
        Assert.Empty(rules.Look());
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Contains("table ip kube-proxy of nftables", Assert.Single(rules.Look()).Message, StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Single(rules.Look());
        Assert.Single(_log.Lines);
        _places = [];
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Empty(rules.Look());
    }

    [Fact]
    public void S180_What_cannot_be_read_is_no_problem_and_no_end()
    {
        var rules = new KubeProxyRules(() => throw new LinuxException("look", Errno.EPERM), _time, _log);
        Assert.Empty(rules.Look());
        Assert.Empty(_log.Lines);
    }

    [PrivilegedTheory]
    [InlineData("nft add table ip kube-proxy", "table ip kube-proxy of nftables")]
    [InlineData("nft add table ip6 kube-proxy", "table ip6 kube-proxy of nftables")]
    [InlineData("iptables-nft -t nat -N KUBE-SERVICES", "chain KUBE-SERVICES in table ip nat of nftables")]
    [InlineData("ip6tables-nft -t nat -N KUBE-SERVICES", "chain KUBE-SERVICES in table ip6 nat of nftables")]
    [InlineData("iptables-legacy -t nat -N KUBE-SERVICES", "chain KUBE-SERVICES in table nat of iptables-legacy")]
    [InlineData("ip6tables-legacy -t nat -N KUBE-SERVICES", "chain KUBE-SERVICES in table nat of ip6tables-legacy")]
    public void S180_Rules_of_each_mode_are_found(string command, string place)
    {
        using var node = NetworkNamespace.Create();
        Assert.Empty(node.Run(KubeProxyRules.Find));
        string[] words = command.Split(' ');
        // Waited for on this thread: a process is started in the namespace of the thread that starts it.
        var result = node.Run(() => new ProcessRunner().RunAsync(words[0], words[1..], CancellationToken.None).GetAwaiter().GetResult());
        Assert.True(result.ExitCode == 0, result.StdErr);
        Assert.Equal([place], node.Run(KubeProxyRules.Find));
    }
}
