// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using EbpfLb.Cli.Tests.Support;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Cli.Tests;

public sealed class StatusTests
{
    [PrivilegedFact]
    public void A_node_that_serves_and_follows_changes_is_OK()
    {
        using var node = new TestNode();
        node.Program(Shop.Services);
        node.WriteAgent(agent => agent with { Services = 4 });

        var result = Status(node);

        Assert.Equal((ExitCode.Done, ""), (result.ExitCode, result.Error));
        Assert.Equal("OK", result.Lines[0]);
        string since = "2030-01-02T0[23]:[0-9]{2}:[0-9]{2}Z [(][0-9]+[mh][0-9ms]* ago[)]";
        Assert.Matches($"\nAgent:     running, pid {Environment.ProcessId}, since {since}\n", result.Out);
        Assert.Contains("Version:   0.1.0\nNode:      node1\nSource:    manifests /etc/ebpflb\n", result.Out, StringComparison.Ordinal);
        Assert.Contains("s ago, 12 syncs, 0 services failed, 0 problems\n", result.Out, StringComparison.Ordinal);
        Assert.Contains("Services:  4 of 4 (service ports by family), 4 frontends, 5 backends\n", result.Out, StringComparison.Ordinal);
        Assert.Contains("Conntrack: 0 of 262144 entries (0%), two for each flow\n", result.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("DEVICE", result.Out, StringComparison.Ordinal);
        Assert.Contains($"Cgroup:    {node.Cgroup}\n", result.Out, StringComparison.Ordinal);
        Assert.Contains($"Kernel:    {File.ReadAllText("/proc/sys/kernel/osrelease").Trim()}\n", result.Out, StringComparison.Ordinal);
        Assert.Contains($"Pinned at: {node.PinPath}\n", result.Out, StringComparison.Ordinal);
        Assert.Equal(8, result.Rows.Count(row => Regex.IsMatch(row, "^sock_[a-z46]+ Cgroup[A-Za-z0-9]+ attached [0-9]+$")));
    }

    [PrivilegedFact]
    public void Without_its_agent_the_datapath_serves_on_and_status_says_so()
    {
        using var node = new TestNode();
        node.WriteAgent();
        node.Stop();

        var result = Status(node);

        Assert.Equal(ExitCode.Failed, result.ExitCode);
        Assert.Equal(
            "DEGRADED: the agent is not running; the datapath serves what it last programmed, "
            + "and follows no change until it is started again",
            result.Lines[0]);
        Assert.Contains("Agent:     not running, last started 2030-01-02T0", result.Out, StringComparison.Ordinal);
    }

    [PrivilegedFact]
    public void An_agent_that_has_not_synced_since_its_start_is_told_from_one_that_has()
    {
        using var node = new TestNode();
        Assert.StartsWith("DEGRADED: the agent has not completed a sync since it started", Status(node).Lines[0], StringComparison.Ordinal);
        Assert.Contains("none has told its state yet", Status(node).Out, StringComparison.Ordinal);

        node.WriteAgent(agent => agent with { SyncedNs = 0, Syncs = 0 });
        Assert.StartsWith("DEGRADED: the agent has not completed a sync since it started", Status(node).Lines[0], StringComparison.Ordinal);

        node.WriteAgent();
        Assert.Equal("OK", Status(node).Lines[0]);

        // A service that fails from the first sync on is no lack of syncs.
        node.WriteAgent(agent => agent with { SyncedNs = 0, Failed = 1 });
        Assert.Equal("DEGRADED: 1 service not programmed as desired", Status(node).Lines[0]);
        Assert.Contains(
            "Synced:    never completely, 12 syncs, 1 services failed, 0 problems\n", Status(node).Out, StringComparison.Ordinal);
    }

    [PrivilegedFact]
    public void A_hook_that_lost_its_program_is_named()
    {
        using var node = new TestNode();
        node.WriteAgent();
        File.Delete(Path.Combine(node.PinPath, "links", "sock_sendmsg6"));
        using (var link = BpfLink.OpenPinned(Path.Combine(node.PinPath, "links", "sock_connect4")))
            link.Detach();

        var result = Status(node);

        Assert.Equal(ExitCode.Failed, result.ExitCode);
        Assert.Equal("DEGRADED: not attached: sock_connect4, sock_sendmsg6; the agent attaches them within 30 seconds, or its problems say why not", result.Lines[0]);
        Assert.Contains("sock_connect4 CgroupInet4Connect detached -", result.Rows);
        Assert.Contains("sock_sendmsg6 CgroupUdp6Sendmsg missing -", result.Rows);
    }

    [PrivilegedFact]
    public void With_no_program_attached_the_node_is_down()
    {
        using var node = new TestNode();
        node.WriteAgent();
        node.Stop();
        Directory.Delete(Path.Combine(node.PinPath, "links"), recursive: true);

        var result = Status(node);

        Assert.Equal(ExitCode.Failed, result.ExitCode);
        Assert.Equal("DOWN: no program is attached, so no service is served; start the agent to attach them", result.Lines[0]);
    }

    [PrivilegedFact]
    public void Problems_are_listed_and_what_did_not_fit_is_counted()
    {
        using var node = new TestNode();
        node.WriteAgent(agent => agent with { Failed = 2, Problems = 3 });
        node.WriteProblem(1, "shop/db", "services_v1 is full");
        node.WriteProblem(0, "shop/\x1b[31mweb", "port 80\nis taken by [red]shop/old[/]");

        var result = Status(node);

        Assert.Equal("DEGRADED: 2 services not programmed as desired", result.Lines[0]);
        Assert.EndsWith(
            """
            Problems:
              shop/\x1b[31mweb: port 80\x0ais taken by [red]shop/old[/]
              shop/db: services_v1 is full
              and 1 more, which the agent's log has

            """.ReplaceLineEndings("\n"),
            result.Out, StringComparison.Ordinal);
    }

    [PrivilegedFact]
    public void Maps_that_are_nearly_full_are_shown()
    {
        using var node = new TestNode(installed: false);
        node.Start(("frontends_v1", 4), ("services_v1", 4));
        Assert.True(node.Program(Shop.Services).IsClean);
        node.WriteAgent();

        var result = Status(node);

        Assert.Contains("Maps filled above 80%:\n", result.Out, StringComparison.Ordinal);
        Assert.Contains("frontends_v1 4 4 100% new services are refused", result.Rows);
        Assert.Contains("services_v1 4 4 100% new services are refused", result.Rows);
        Assert.DoesNotContain("backends_v1 ", result.Out, StringComparison.Ordinal);
    }

    [PrivilegedFact]
    public void A_datapath_that_was_never_installed_is_a_message_and_a_failure()
    {
        using var node = new TestNode(installed: false);

        var result = Status(node);
        Assert.Equal(ExitCode.Failed, result.ExitCode);
        Assert.StartsWith($"DOWN: No datapath is installed on {node.BpfFs}: ", Assert.Single(result.Lines), StringComparison.Ordinal);
        Assert.Null(JsonNode.Parse(Status(node, "-o", "json").Out)!["pinPath"]);

        foreach (string command in new[] { "services", "frontends", "backends", "affinity", "conntrack", "counters", "maps" })
        {
            result = Shell.Run(command, "--bpffs", node.BpfFs);
            Assert.Equal((ExitCode.Failed, ""), (result.ExitCode, result.Out));
            Assert.StartsWith($"error: No datapath is installed on {node.BpfFs}: ", result.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        }
    }

    [PrivilegedFact]
    public void Maps_that_cannot_be_read_do_not_hide_that_programs_serve()
    {
        using var node = new TestNode();
        node.Stop();
        File.Delete(Path.Combine(node.PinPath, "services_v1"));

        var result = Status(node);

        Assert.Equal(ExitCode.Failed, result.ExitCode);
        Assert.StartsWith($"DEGRADED: {node.PinPath}/services_v1 does not exist", result.Lines[0], StringComparison.Ordinal);
        Assert.Equal(8, result.Rows.Count(row => row.Contains(" attached ", StringComparison.Ordinal)));
    }

    [PrivilegedFact]
    public void Status_as_JSON_has_every_key_and_YAML_says_the_same()
    {
        using var node = new TestNode();
        node.Program(Shop.Services);
        node.WriteAgent();
        node.WriteProblem(0, "shop/db", "no");

        var status = JsonNode.Parse(Status(node, "-o", "json").Out)!.AsObject();

        Assert.Equal(
            [
                "verdict", "reasons", "pinPath", "agent", "audit", "programs", "cgroups", "devices", "services", "frontends", "backends", "maps",
                "problems",
            ],
            status.Select(member => member.Key));
        Assert.Equal("OK", (string?)status["verdict"]);
        Assert.Equal((4, 4, 5), ((int)status["services"]!, (int)status["frontends"]!, (int)status["backends"]!));
        var agent = status["agent"]!;
        Assert.True((bool)agent["running"]!);
        Assert.Equal(Environment.ProcessId, (int)agent["pid"]!);
        Assert.InRange((double)agent["startedSecondsAgo"]!, 190, 4000);
        Assert.InRange((double)agent["syncedSecondsAgo"]!, 5, 300);
        Assert.Equal((8, MapNames.All.Count), (status["programs"]!.AsArray().Count, status["maps"]!.AsArray().Count));
        Assert.Equal("attached", (string?)status["programs"]![0]!["state"]);
        Assert.Equal(node.Cgroup, (string?)status["cgroups"]![0]!["path"]);
        Assert.Equal("""{"object":"shop/db","message":"no"}""", status["problems"]![0]!.ToJsonString());

        var yaml = YamlReader.Read(Status(node, "-o", "yaml").Out)!;
        Assert.Equal(status["programs"]!.ToJsonString(), yaml["programs"]!.ToJsonString());
        Assert.Equal(status["maps"]!.ToJsonString(), yaml["maps"]!.ToJsonString());
    }

    [PrivilegedFact]
    public void The_verdict_is_coloured_on_a_terminal_only()
    {
        using var node = new TestNode();
        node.WriteAgent();

        Assert.DoesNotContain('\x1b', Status(node).Out);
        var interactive = new Shell { IsInteractive = true }.Type("status", "--bpffs", node.BpfFs);
        Assert.Matches("^(\x1b\\[[0-9;]+m)?OK(\x1b\\[0m)?\n", interactive.Out);
        Assert.DoesNotContain('\x1b', interactive.Out[interactive.Out.IndexOf('\n', StringComparison.Ordinal)..]);
    }

    private static Shell.Result Status(TestNode node, params string[] args) => Shell.Run(["status", "--bpffs", node.BpfFs, .. args]);
}
