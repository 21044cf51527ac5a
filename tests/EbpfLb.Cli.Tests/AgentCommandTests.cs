// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using EbpfLb.Cli.Tests.Support;
using EbpfLb.Datapath.Conntrack;
using EbpfLb.Datapath.Devices;
using EbpfLb.Datapath.Features;
using EbpfLb.LoadBalancing.Maglev;
using EbpfLb.LoadBalancing.Model;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Cli.Tests;

public sealed class AgentCommandTests
{
    [Fact]
    public void Every_option_reaches_the_agent()
    {
        var shell = new Shell();
        var result = shell.Type(
            "agent", "--manifests", "/tmp", "--node-name", "Node-7", "--bpffs", "/run/bpf", "--cgroup", "/run/cgroup",
            "--proc-sys", "/proc/sys/.", "--bpftool", "/opt/bpftool", "--map-size", "services_v1=100", "--map-size", "frontends_v1=200",
            "--default-algorithm", "maglev", "--maglev-table-size", "509",
            "--maglev-seed", "000102030405060708090a0b0c0d0e0F", "--log-level", "warning",
            "--devices", "eth*,bond0", "--pod-devices", "lxc*", "--xdp", "native", "--node-ip", "192.0.2.10,2001:db8::10",
            "--nodeport-addresses", "192.0.2.77/24,2001:db8::/32", "--external-cluster-ips", "--snat-ports", "40000-40999",
            "--conntrack-timeouts", "tcp-established=86400,udp=30", "--dead-backend-grace", "15",
            "--without", "tcx,kernel-types");

        Assert.Equal((ExitCode.Done, "", ""), (result.ExitCode, result.Out, result.Error));
        var options = shell.Started!;
        Assert.Equal(("/tmp", "node-7", "/opt/bpftool"), (options.Manifests, options.NodeName, options.Bpftool));
        Assert.Equal(("/run/bpf", "/run/cgroup", "/proc/sys/."), (options.Datapath.BpfFs, options.Datapath.Cgroup, options.ProcSys));
        Assert.Equal(
            [("frontends_v1", 200u), ("services_v1", 100u)], options.Datapath.MapSizes.Select(size => (size.Key, size.Value)).Order());
        Assert.Equal([KernelFeature.Tcx, KernelFeature.KernelTypes], options.Datapath.WithoutFeatures.Order());
        Assert.Equal((Algorithm.Maglev, LogLevel.Warning), (options.DefaultAlgorithm, options.LogLevel));
        Assert.Equal(509, options.Maglev.TableSize);
        Assert.Equal(Enumerable.Range(0, 16).Select(value => (byte)value), options.Maglev.Seed.AsSpan().ToArray());
        Assert.Equal(["eth*", "bond0"], options.Devices.Devices!.Select(pattern => pattern.Text));
        Assert.Equal("lxc*", Assert.Single(options.Devices.PodDevices).Text);
        Assert.Equal(XdpChoice.Native, options.Devices.Xdp);
        Assert.Equal([Address.Parse("192.0.2.10"), Address.Parse("2001:db8::10")], options.Devices.NodeAddresses);
        Assert.False(options.Devices.NodePorts.Primary);
        Assert.Equal([AddressPrefix.Parse("192.0.2.0/24"), AddressPrefix.Parse("2001:db8::/32")], options.Devices.NodePorts.Prefixes);
        Assert.Equal(
            new FlowSettings
            {
                ExternalClusterIPs = true,
                SnatPortFirst = 40000,
                SnatPortLast = 40999,
                TcpEstablishedSeconds = 86400,
                UdpSeconds = 30,
                DeadBackendSeconds = 15,
            },
            options.Flows);
    }

    [Fact]
    public void Connections_of_dead_backends_may_be_left_alone()
    {
        var shell = new Shell();
        Assert.Equal(ExitCode.Done, shell.Type("agent", "--manifests", "/tmp", "--dead-backend-grace", "off").ExitCode);
        Assert.Equal(new FlowSettings { DeadBackendSeconds = 0 }, shell.Started!.Flows);
        Assert.Null(shell.Started!.Flows.DeadBackendGrace);
        Assert.Equal(TimeSpan.FromSeconds(60), new FlowSettings().DeadBackendGrace);
    }

    [Fact]
    public void Defaults_are_those_of_the_agent_and_the_node_name_is_the_host_name_in_lower_case()
    {
        var shell = new Shell();
        Assert.Equal(ExitCode.Done, shell.Type("agent", "--manifests", "/tmp").ExitCode);

        var options = shell.Started!;
        Assert.Equal(Dns.GetHostName().ToLowerInvariant(), options.NodeName);
        Assert.Equal((null, null, null), (options.Datapath.BpfFs, options.Datapath.Cgroup, options.Bpftool));
        Assert.Equal(((Algorithm?)null, LogLevel.Information), (options.DefaultAlgorithm, options.LogLevel));
        Assert.Equal(new MaglevOptions(), options.Maglev);
        Assert.Empty(options.Datapath.MapSizes);
        Assert.Equal(new FlowSettings(), options.Flows);
        Assert.Null(options.Devices.Devices);
        Assert.Empty(options.Devices.PodDevices);
        Assert.Empty(options.Devices.NodeAddresses);
        Assert.Equal((XdpChoice.Auto, NodePortAddresses.All), (options.Devices.Xdp, options.Devices.NodePorts));
    }

    [Fact]
    public void No_devices_and_primary_addresses_have_words_of_their_own()
    {
        var shell = new Shell();
        Assert.Equal(
            ExitCode.Done,
            shell.Type(
                "agent", "--manifests", "/tmp", "--devices", "none", "--pod-devices", "none", "--xdp", "off", "--nodeport-addresses", "primary")
                .ExitCode);
        var devices = shell.Started!.Devices;
        Assert.Empty(devices.Devices!);
        Assert.Empty(devices.PodDevices);
        Assert.Equal((XdpChoice.Off, true), (devices.Xdp, devices.NodePorts.Primary));
    }

    [Theory]
    [InlineData("--devices", "eth0,,eth1", "--devices eth0,,eth1: ''")]
    [InlineData("--devices", "eth[", "'eth['")]
    [InlineData("--devices", "none,eth0", "--devices none,eth0: 'none' stands alone")]
    [InlineData("--maglev-table-size", "500", "--maglev-table-size 500: there is no such size")]
    [InlineData("--pod-devices", "a/b", "--pod-devices a/b: 'a/b'")]
    [InlineData("--proc-sys", "/sys", "--proc-sys /sys: there is no directory 'net' in it")]
    [InlineData("--xdp", "fast", "--xdp fast: there is no such mode")]
    [InlineData("--without", "tcx,ringbuf", "--without tcx,ringbuf: there is no feature 'ringbuf'. They are links, set-retval")]
    [InlineData("--node-ip", "10.0.0.1,node1", "'node1'")]
    [InlineData("--node-ip", "127.0.0.1", "'127.0.0.1'")]
    [InlineData("--node-ip", "10.0.0.1,10.0.0.2", "--node-ip 10.0.0.1,10.0.0.2: a node has one")]
    [InlineData("--nodeport-addresses", "10.0.0.0/8,all", "'all'")]
    [InlineData("--nodeport-addresses", "10.0.0.0/40", "'10.0.0.0/40'")]
    [InlineData("--map-size", "reasons_v1=2", "this map has no size to choose")]
    [InlineData("--map-size", "recent_v1=2", "this map has no size to choose")]
    [InlineData("--map-size", "settings_v1=2", "this map has no size to choose")]
    [InlineData("--snat-ports", "50000", "--snat-ports 50000: write FIRST-LAST")]
    [InlineData("--snat-ports", "50000-70000", "--snat-ports 50000-70000: not a range")]
    [InlineData("--snat-ports", "80-90", "--snat-ports 80-90: not a range")]
    [InlineData("--snat-ports", "60000-50000", "--snat-ports 60000-50000: not a range")]
    [InlineData("--conntrack-timeouts", "tcp=5", "there is no timeout 'tcp'")]
    [InlineData("--conntrack-timeouts", "udp", "write NAME=SECONDS, such as udp=60")]
    [InlineData("--conntrack-timeouts", "udp=soon", "write NAME=SECONDS")]
    [InlineData("--conntrack-timeouts", "udp=0", "udp=0: a timeout has 1 to 1000000 seconds")]
    [InlineData("--conntrack-timeouts", "udp=1,udp=2", "--conntrack-timeouts udp=2: this timeout is given twice")]
    [InlineData("--dead-backend-grace", "0", "--dead-backend-grace 0: write SECONDS, such as 60, or off.")]
    [InlineData("--dead-backend-grace", "1m", "--dead-backend-grace 1m: write SECONDS, such as 60, or off.")]
    [InlineData("--dead-backend-grace", "1000001", "--dead-backend-grace 1000001: the grace has 1 to 1000000 seconds, or is 'off'.")]
    public void A_wrong_setting_of_the_packet_path_is_told(string option, string value, string expected)
    {
        var result = Shell.Run("agent", "--manifests", "/", option, value);
        Assert.Equal(ExitCode.WrongUsage, result.ExitCode);
        string[] errors = [.. result.Error.Split('\n').Where(line => line.StartsWith("error: ", StringComparison.Ordinal))];
        Assert.Contains(expected, Assert.Single(errors), StringComparison.Ordinal);
    }

    [Fact]
    public void All_that_is_wrong_is_told_at_once_and_nothing_is_started()
    {
        var shell = new Shell();
        var result = shell.Type(
            "agent", "--node-name", " ", "--map-size", "services_v1", "--map-size", "nosuch_v1=5", "--map-size", "vips_v1=-1",
            "--map-size", "slots_v1=1", "--map-size", "slots_v1=2", "--default-algorithm", "wheel", "--maglev-table-size", "500",
            "--maglev-seed", "00ff", "--log-level", "loud");

        Assert.Equal((ExitCode.WrongUsage, ""), (result.ExitCode, result.Out));
        Assert.Null(shell.Started);
        string[] lines = result.Error.TrimEnd('\n').Split('\n');
        Assert.All(lines[..^1], line => Assert.StartsWith("error: ", line, StringComparison.Ordinal));
        Assert.Equal("Try 'ebpflb agent --help'.", lines[^1]);
        string[] expected =
        [
            "There is nothing to follow.", "--node-name is empty", "--map-size services_v1:", "--map-size nosuch_v1=5", "--map-size vips_v1=-1",
            "--map-size slots_v1=2: this map is given a size twice", "--default-algorithm wheel", "--maglev-table-size 500", "--maglev-seed 00ff",
            "--log-level loud",
        ];
        Assert.All(expected, text => Assert.Single(lines, line => line.Contains(text, StringComparison.Ordinal)));
        Assert.Equal(expected.Length, lines.Length - 1);
    }

    [Fact]
    public void A_table_size_that_is_no_number_is_refused_with_the_sizes_there_are()
    {
        var result = Shell.Run("agent", "--manifests", "/", "--maglev-table-size", "many");
        Assert.Equal(ExitCode.WrongUsage, result.ExitCode);
        string error = $"--maglev-table-size many: there is no such size of a table. Use one of {MaglevSize.AllowedText}";
        Assert.Contains(error, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_manifest_directory_that_does_not_exist_is_wrong_usage()
    {
        var result = Shell.Run("agent", "--manifests", "/nonexistent/manifests");
        Assert.Equal(ExitCode.WrongUsage, result.ExitCode);
        Assert.StartsWith("error: --manifests /nonexistent/manifests: ", result.Error, StringComparison.Ordinal);
    }
}
