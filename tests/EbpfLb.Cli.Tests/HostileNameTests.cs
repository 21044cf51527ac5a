// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using EbpfLb.Cli.Tests.Support;
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Cli.Tests;

public sealed class HostileNameTests
{
    private const string Name = "[bold red]x[/]\x1b]0;owned\x07\u202e\nfake/row   TCP";

    [PrivilegedFact]
    public void A_name_can_neither_draw_nor_add_a_row_nor_be_taken_for_markup()
    {
        using var node = new TestNode();
        node.Program(TestNode.Service("a", Name, TestNode.Port("", Protocol.Tcp, "10.96.0.1", 80, TestNode.Backend("10.244.0.1", 80))));

        foreach (string command in new[] { "services", "frontends", "backends" })
        {
            var result = Shell.Run(command, "--bpffs", node.BpfFs);
            Assert.Equal(2, result.Lines.Length);
            Assert.Contains(@"[bold red]x[/]\x1b]0;owned\x07\u{202e}\x0afake/row", result.Lines[1], StringComparison.Ordinal);
            Assert.DoesNotContain(result.Out, character => char.IsControl(character) && character != '\n');
        }
    }

    [PrivilegedFact]
    public void Scripts_get_the_name_as_it_is()
    {
        using var node = new TestNode();
        node.Program(TestNode.Service("a", Name, TestNode.Port("", Protocol.Tcp, "10.96.0.1", 80, TestNode.Backend("10.244.0.1", 80))));

        string json = Shell.Run("services", "-o", "json", "--bpffs", node.BpfFs).Out;
        string yaml = Shell.Run("services", "-o", "yaml", "--bpffs", node.BpfFs).Out;

        Assert.DoesNotContain(json, character => (char.IsControl(character) && character != '\n') || character == '\u202e');
        Assert.DoesNotContain(yaml, character => (char.IsControl(character) && character != '\n') || character == '\u202e');
        Assert.Equal(Name, (string?)JsonNode.Parse(json)![0]!["name"]);
        Assert.Equal(Name, (string?)YamlReader.Read(yaml)![0]!["name"]);
    }

    [PrivilegedFact]
    public void A_name_cannot_draw_among_flows_and_counters_either()
    {
        using var node = new TestNode();
        node.Program(TestNode.Service("a", Name, TestNode.Port("", Protocol.Tcp, "10.96.0.1", 80, TestNode.Backend("10.244.0.1", 80))));
        uint backend = node.BackendId("10.244.0.1");
        new Flow("192.0.2.1", 1024, "10.96.0.1", 80, "10.244.0.1", 80) { BackendId = backend }.WriteTo(node);
        node.WriteCounters(backend, new CountersValue { Connections = 1 });

        foreach (string[] line in new string[][] { ["conntrack"], ["counters", "--by", "service"], ["counters", "--by", "backend"] })
        {
            var result = Shell.Run([.. line, "--bpffs", node.BpfFs]);
            Assert.Equal(2, result.Lines.Length);
            Assert.Contains(@"[bold red]x[/]\x1b]0;owned\x07\u{202e}\x0afake/row", result.Lines[1], StringComparison.Ordinal);
            Assert.DoesNotContain(result.Out, character => char.IsControl(character) && character != '\n');

            string json = Shell.Run([.. line, "-o", "json", "--bpffs", node.BpfFs]).Out;
            string yaml = Shell.Run([.. line, "-o", "yaml", "--bpffs", node.BpfFs]).Out;
            Assert.DoesNotContain(json + yaml, character => (char.IsControl(character) && character != '\n') || character == '\u202e');
            Assert.Equal($"a/{Name}", (string?)Items(JsonNode.Parse(json)!)[0]!["service"]);
            Assert.Equal($"a/{Name}", (string?)Items(YamlReader.Read(yaml)!)[0]!["service"]);
        }
    }

    [Fact]
    public void An_error_cannot_draw_either()
    {
        Assert.StartsWith(@"error: Unrecognized command or argument '\x1b[2Jx'.", Shell.Run("\x1b[2Jx").Error, StringComparison.Ordinal);
    }

    private static JsonArray Items(JsonNode root) => root as JsonArray ?? root.AsObject().Single().Value!.AsArray();
}
