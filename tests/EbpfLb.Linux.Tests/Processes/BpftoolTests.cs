// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Processes;

namespace EbpfLb.Linux.Tests.Processes;

/// <summary>Against scripts that play bpftool.</summary>
public sealed class BpftoolTests
{
    private static readonly Dictionary<string, string> NoMaps = [];

    [Fact]
    public async Task Loading_names_each_live_map_and_the_directory_of_the_new_ones()
    {
        using TemporaryDirectory directory = new();
        Bpftool bpftool = Scripted(directory, $"printf '%s\\n' \"$@\" > {directory.Combine("arguments")}");

        await bpftool.LoadAllAsync("/o.o", "/bpf/progs", new Dictionary<string, string> { ["m1"] = "/bpf/m1" }, "/bpf", Eventually.Timeout());

        Assert.Equal(
            ["--nomount", "prog", "loadall", "/o.o", "/bpf/progs", "map", "name", "m1", "pinned", "/bpf/m1", "pinmaps", "/bpf"],
            await File.ReadAllLinesAsync(directory.Combine("arguments")));
    }

    [Fact]
    public async Task A_failure_carries_arguments_status_and_the_last_lines()
    {
        using TemporaryDirectory directory = new();
        Bpftool bpftool = Scripted(directory, "for i in $(seq 1 20); do echo \"line $i\" >&2; done; exit 255");

        BpftoolException exception = await Load(bpftool);

        Assert.Equal(255, exception.ExitCode);
        Assert.Equal(["--nomount", "prog", "loadall", "/o.o", "/bpf/progs"], exception.Arguments);
        Assert.Null(exception.Cause);
        Assert.StartsWith(
            $"{directory.Combine("bpftool")} --nomount prog loadall /o.o /bpf/progs: exit status 255\n  line 13\n",
            exception.Message,
            StringComparison.Ordinal);
        Assert.EndsWith("\n  line 20", exception.Message, StringComparison.Ordinal);
        Assert.StartsWith("line 1\n", exception.StdErr, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_of_the_kernel_names_the_capabilities()
    {
        using TemporaryDirectory directory = new();
        Bpftool bpftool = Scripted(directory, "echo 'Error: failed to load object: Operation not permitted' >&2; exit 255");

        BpftoolException exception = await Load(bpftool);

        Assert.StartsWith("not permitted: it takes CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON", exception.Cause, StringComparison.Ordinal);
        Assert.Contains("exit status 255: not permitted", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrapper_without_the_tool_says_what_to_install()
    {
        using TemporaryDirectory directory = new();
        Bpftool bpftool = Scripted(directory, "exec /proc/absent/bpftool");

        Assert.StartsWith("not found: install bpftool", (await Load(bpftool)).Cause, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tool_that_was_never_called_is_named_alone()
    {
        BpftoolException exception = new("/opt/bpftool", [], null, "", "there is no such file");

        Assert.Equal("/opt/bpftool: did not start: there is no such file", exception.Message);
    }

    [Fact]
    public async Task A_tool_that_is_absent_says_what_to_install()
    {
        BpftoolException exception = await Load(new Bpftool("/proc/absent/bpftool", new ProcessRunner()));

        Assert.Null(exception.ExitCode);
        Assert.StartsWith("/proc/absent/bpftool --nomount", exception.Message, StringComparison.Ordinal);
        Assert.Contains("did not start: not found: install bpftool", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Output_that_is_not_JSON_is_a_failure_of_the_tool()
    {
        using TemporaryDirectory directory = new();
        Bpftool bpftool = Scripted(directory, "echo '{\"types\": ['");

        BpftoolException exception = await Assert.ThrowsAsync<BpftoolException>(() => bpftool.DumpBtfAsync("/o.o", Eventually.Timeout()));
        Assert.Equal("its output is not JSON", exception.Cause);
    }

    [Fact]
    public async Task The_version_is_the_last_word_of_the_first_line()
    {
        using TemporaryDirectory directory = new();
        Bpftool bpftool = Scripted(directory, "echo '/usr/sbin/bpftool v7.1.0'; echo 'using libbpf v1.1'");

        Assert.Equal("v7.1.0", await bpftool.VersionAsync(Eventually.Timeout()));
    }

    [Fact]
    public void The_tool_is_found_as_told_then_in_the_path_then_where_services_do_not_look()
    {
        static Func<string, bool> Only(params string[] files) => files.Contains;

        Assert.Equal("/x/tool", Bpftool.Locate("/x/tool", "/usr/bin", Only("/x/tool", "/usr/bin/bpftool")));
        Assert.Equal("/b/bpftool", Bpftool.Locate(null, "/a:/b:/c", Only("/b/bpftool", "/c/bpftool", "/usr/sbin/bpftool")));
        Assert.Equal("/usr/sbin/bpftool", Bpftool.Locate(null, "/a", Only("/sbin/bpftool", "/usr/sbin/bpftool")));
        Assert.Equal("/sbin/bpftool", Bpftool.Locate(null, null, Only("/sbin/bpftool")));
        Assert.Throws<BpftoolException>(() => Bpftool.Locate("/x/tool", "/usr/bin", Only("/usr/bin/bpftool")));
        BpftoolException exception = Assert.Throws<BpftoolException>(() => Bpftool.Locate(null, "/a", Only()));
        Assert.Contains("install bpftool", exception.Message, StringComparison.Ordinal);
    }

    private static Bpftool Scripted(TemporaryDirectory directory, string script)
        => new(directory.WriteExecutable("bpftool", $"#!/bin/sh\n{script}\n"), new ProcessRunner());

    private static Task<BpftoolException> Load(Bpftool bpftool)
        => Assert.ThrowsAsync<BpftoolException>(() => bpftool.LoadAllAsync("/o.o", "/bpf/progs", NoMaps, null, Eventually.Timeout()));
}
