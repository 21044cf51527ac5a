// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Cli.Tests.Support;
using EbpfLb.Datapath.Loading;
using EbpfLb.Linux.Processes;

namespace EbpfLb.Cli.Tests;

public sealed class UsageTests
{
    [Theory]
    [InlineData("Unrecognized command or argument 'nosuch'.", "nosuch")]
    [InlineData("Unrecognized command or argument '--nosuch'.", "services", "--nosuch")]
    [InlineData("Unrecognized command or argument 'more'.", "frontends", "more")]
    [InlineData("Unrecognized command or argument '--nosuch'.", "backends", "--service", "--nosuch")]
    [InlineData("--output xml: there is no such format. Use one of table, json, yaml.", "backends", "-o", "xml")]
    [InlineData("--output 1: there is no such format. Use one of table, wide, json, yaml.", "services", "-o", "1")]
    [InlineData("--output wide: there is no such format. Use one of table, json, yaml.", "affinity", "-o", "wide")]
    [InlineData("--client 10.0.0.0/8: this is not an IP address.", "conntrack", "--client", "10.0.0.0/8")]
    [InlineData("--limit 0: this is not a number from 1 on.", "conntrack", "--limit", "0")]
    [InlineData("--by pod: there is no such table. Use one of reason, service, backend.", "counters", "--by", "pod")]
    [InlineData("Required argument missing for option: '--bpffs'.", "status", "--bpffs")]
    [InlineData("Required argument missing for command: 'completion'.", "completion")]
    [InlineData("Required command was not provided.")]
    public void Wrong_usage_is_one_error_on_standard_error_and_status_2(string error, params string[] line)
    {
        var result = Shell.Run(line);

        Assert.Equal((ExitCode.WrongUsage, ""), (result.ExitCode, result.Out));
        Assert.Equal(2, result.Error.TrimEnd('\n').Split('\n').Length);
        Assert.StartsWith($"error: {error}\nTry 'ebpflb ", result.Error, StringComparison.Ordinal);
        Assert.EndsWith(" --help'.\n", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_shell_is_wrong_usage() => Assert.Equal(ExitCode.WrongUsage, Shell.Run("completion", "powershell").ExitCode);

    [Fact]
    public void Help_of_every_command_has_examples_and_of_every_reader_the_keys_of_its_JSON()
    {
        Assert.Contains("Exit status:", Shell.Run("--help").Out, StringComparison.Ordinal);
        string[] commands =
        [
            "agent", "status", "services", "frontends", "backends", "affinity", "conntrack", "counters", "maps", "cleanup", "completion",
        ];
        foreach (string command in commands)
        {
            var help = Shell.Run(command, "--help");
            Assert.Equal((ExitCode.Done, ""), (help.ExitCode, help.Error));
            Assert.Contains($"Examples:\n  ", help.Out, StringComparison.Ordinal);
            Assert.Contains($"ebpflb {command}", help.Out, StringComparison.Ordinal);
            Assert.Equal(help.Out.Contains("--output", StringComparison.Ordinal), help.Out.Contains("JSON (an ", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Version_is_printed_by_the_command_and_by_the_option()
    {
        var command = Shell.Run("version");
        Assert.Equal((ExitCode.Done, ""), (command.ExitCode, command.Error));
        Assert.Matches("^ebpflb [0-9]+\\.[0-9]+\\.[0-9]+(\\+[0-9a-f]{12})?\n$", command.Out);
        Assert.Equal(command, Shell.Run("--version"));
    }

    [Fact]
    public void Commands_options_and_values_are_completed()
    {
        Assert.Equal(["status"], Suggest("ebpflb sta"));
        Assert.Contains("--namespace", Suggest("ebpflb services --"));
        Assert.Equal(["json", "table", "wide", "yaml"], Suggest("ebpflb services -o "));
        Assert.Equal(["backend", "reason", "service"], Suggest("ebpflb counters --by "));
        Assert.Equal(["maglev", "random"], Suggest("ebpflb agent --default-algorithm "));
        Assert.Contains("services_v1=", Suggest("ebpflb agent --map-size "));
        Assert.Equal(["bash", "fish", "zsh"], Suggest("ebpflb completion ").Where(word => !word.StartsWith('-')));
    }

    [Theory]
    [InlineData("bash", "complete -o default -F _ebpflb ebpflb")]
    [InlineData("zsh", "#compdef ebpflb")]
    [InlineData("fish", "complete --command ebpflb")]
    public void A_completion_script_asks_the_command_itself(string shell, string line)
    {
        string script = Shell.Run("completion", shell).Out;
        Assert.Contains(line, script, StringComparison.Ordinal);
        Assert.Contains("[suggest:", script, StringComparison.Ordinal);
    }

    [Fact]
    public void A_BPF_file_system_that_is_none_is_named_with_the_way_out()
    {
        string directory = Directory.CreateTempSubdirectory("ebpflb-cli-").FullName;
        try
        {
            var result = Shell.Run("services", "--bpffs", directory);
            Assert.Equal((ExitCode.Failed, ""), (result.ExitCode, result.Out));
            string error = $"error: --bpffs {directory} is not on a BPF file system. Mount one there: ";
            Assert.StartsWith(error, result.Error, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(directory);
        }
    }

    [Fact]
    public void An_expected_failure_is_its_message_and_no_stack()
    {
        var result = Agent(new DatapathException("the cgroup is taken"));
        Assert.Equal(ExitCode.Failed, result.ExitCode);
        Assert.StartsWith("error: the cgroup is taken\n", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);

        result = Agent(new BpftoolException("bpftool", [], null, "", "not found in PATH"));
        Assert.Equal(ExitCode.Failed, result.ExitCode);
        Assert.DoesNotContain("unexpected", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unexpected_failure_is_one_line_and_says_how_to_get_the_stack()
    {
        var failure = new InvalidOperationException("all ids are in use");
        var result = Agent(failure);
        Assert.Equal(ExitCode.Failed, result.ExitCode);
        Assert.StartsWith(
            "error: all ids are in use (InvalidOperationException, unexpected)\nhint: ", result.Error, StringComparison.Ordinal);
        Assert.Contains("EBPFLB_DEBUG=1", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);

        Assert.Contains("   at ", Agent(failure, "--log-level", "debug").Error, StringComparison.Ordinal);
        Environment.SetEnvironmentVariable(CommandLine.DebugVariable, "1");
        try
        {
            Assert.Contains("   at ", Agent(failure).Error, StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable(CommandLine.DebugVariable, null);
        }
    }

    private static Shell.Result Agent(Exception failure, params string[] args) =>
        new Shell { AgentFailure = failure }.Type(["agent", "--manifests", "/", .. args]);

    private static string[] Suggest(string line) => Shell.Run($"[suggest:{line.Length}]", line).Lines;
}
