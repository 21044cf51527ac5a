// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>What the agent, and what it starts, may do.</summary>
public sealed class PrivilegeTests
{
    private const ulong Bpf = 1ul << 39 | 1ul << 38 | 1ul << 12; // BPF, PERFMON, NET_ADMIN
    private const ulong Ptrace = 1ul << 19;
    private const ulong Useful = Ptrace | 1ul << 2 | 1ul << 10 | 1ul << 21 | 1ul << 24; // DAC_READ_SEARCH, NET_BIND_SERVICE, SYS_ADMIN, SYS_RESOURCE

    [PrivilegedFact]
    public async Task S193_three_capabilities_are_enough_to_serve()
    {
        const string Three = "-all,+bpf,+net_admin,+perfmon";
        await using var node = await LiveNode.CreateAsync();
        await node.Agent.TerminateAsync();
        node.Agent.Under = ["setpriv", "--no-new-privs", $"--bounding-set={Three}", $"--inh-caps={Three}"];
        await node.Agent.StartAsync();
        AssertCapabilities(StatusOf(node.Agent.Pid), Bpf, Bpf);

        var service = node.NewService();
        await service.PublishAsync(node.P11.Ready, node.P21.Ready);
        await node.FromEverywhereAsync(async (client, family) =>
        {
            (await client.TcpAsync(service, family, count: 20)).AssertAnsweredBy("p11", "p21");
            (await client.UdpAsync(service, family, count: 20)).AssertAnsweredBy("p11", "p21");
        });
    }

    [PrivilegedFact]
    public async Task S193_root_keeps_what_it_has_a_use_for_and_bpftool_gets_less()
    {
        using var ground = new AgentGround();
        string wrapper = ground.Combine("bpftool"), seen = ground.Combine("seen");
        File.WriteAllText(wrapper, $"#!/bin/sh\ncat /proc/self/status >>{seen}\nexec bpftool \"$@\"\n");
        File.SetUnixFileMode(wrapper, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await using var agent = ground.Agent(options: ["--bpftool", wrapper]);
        await agent.StartAsync();

        var status = StatusOf(agent.Pid);
        ulong had = Capabilities(StatusOf(Environment.ProcessId), "CapPrm");
        AssertCapabilities(status, had & (Bpf | Useful), had & (Bpf | Useful));
        Assert.Equal("ebpflb", status["Name"]);

        string[] children = File.ReadAllText(seen).Split("Name:", StringSplitOptions.RemoveEmptyEntries);
        Assert.NotEmpty(children);
        Assert.All(children, child =>
        {
            var of = Fields(child.Split('\n').Skip(1));
            ulong allowed = had & (Bpf | Ptrace);
            Assert.Equal((allowed, allowed, 0ul), (Capabilities(of, "CapEff"), Capabilities(of, "CapPrm"), Capabilities(of, "CapAmb")));
            Assert.Equal("1", of["NoNewPrivs"]);
        });
    }

    [PrivilegedFact]
    public async Task S196_the_memory_of_the_agent_is_in_no_core_dump()
    {
        using var ground = new AgentGround();
        await using var agent = ground.Agent();
        await agent.StartAsync();
        string limit = File.ReadLines($"/proc/{agent.Pid}/limits").Single(line => line.StartsWith("Max core file size", StringComparison.Ordinal));
        Assert.Equal(["Max", "core", "file", "size", "1", "1", "bytes"], limit.Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    private static void AssertCapabilities(Dictionary<string, string> status, ulong effective, ulong bounding)
    {
        Assert.Equal(
            (effective, effective, bounding), (Capabilities(status, "CapEff"), Capabilities(status, "CapPrm"), Capabilities(status, "CapBnd")));
        Assert.Equal("1", status["NoNewPrivs"]);
    }

    private static Dictionary<string, string> StatusOf(int pid) => Fields(File.ReadAllLines($"/proc/{pid}/status"));

    private static Dictionary<string, string> Fields(IEnumerable<string> lines) =>
        lines.Select(line => line.Split(':', 2)).Where(parts => parts.Length == 2).ToDictionary(parts => parts[0], parts => parts[1].Trim());

    private static ulong Capabilities(Dictionary<string, string> status, string field) =>
        ulong.Parse(status[field], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
