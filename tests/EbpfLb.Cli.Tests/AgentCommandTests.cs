// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using EbpfLb.Cli.Tests.Support;
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
            "--bpftool", "/opt/bpftool", "--map-size", "services_v1=100", "--map-size", "frontends_v1=200",
            "--default-algorithm", "maglev", "--maglev-table-size", "509",
            "--maglev-seed", "000102030405060708090a0b0c0d0e0F", "--log-level", "warning");

        Assert.Equal((ExitCode.Done, "", ""), (result.ExitCode, result.Out, result.Error));
        var options = shell.Started!;
        Assert.Equal(("/tmp", "Node-7", "/opt/bpftool"), (options.Manifests, options.NodeName, options.Bpftool));
        Assert.Equal(("/run/bpf", "/run/cgroup"), (options.Datapath.BpfFs, options.Datapath.Cgroup));
        Assert.Equal(
            [("frontends_v1", 200u), ("services_v1", 100u)], options.Datapath.MapSizes.Select(size => (size.Key, size.Value)).Order());
        Assert.Equal((Algorithm.Maglev, LogLevel.Warning), (options.DefaultAlgorithm, options.LogLevel));
        Assert.Equal(509, options.Maglev.TableSize);
        Assert.Equal(Enumerable.Range(0, 16).Select(value => (byte)value), options.Maglev.Seed.AsSpan().ToArray());
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
            "--manifests is missing", "--node-name", "--map-size services_v1:", "--map-size nosuch_v1=5", "--map-size vips_v1=-1",
            "--map-size slots_v1=2: this map is given a size twice", "--default-algorithm wheel", "table size 500", "--maglev-seed 00ff",
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
        string error = $"--maglev-table-size many: not a number of slots. Use one of {MaglevSize.AllowedText}";
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
