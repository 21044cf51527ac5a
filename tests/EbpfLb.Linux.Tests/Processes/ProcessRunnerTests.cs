// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.ComponentModel;
using EbpfLb.Linux.Processes;

namespace EbpfLb.Linux.Tests.Processes;

public sealed class ProcessRunnerTests
{
    private readonly ProcessRunner _runner = new();

    [Fact]
    public async Task Much_on_both_outputs_blocks_neither()
    {
        const string Script = "head -c 3000000 /dev/zero | tr '\\0' e >&2; head -c 5000000 /dev/zero | tr '\\0' o; exit 3";

        ProcessResult result = await _runner.RunAsync("sh", ["-c", Script], Eventually.Timeout());

        Assert.Equal(3, result.ExitCode);
        Assert.Equal(new string('o', 5_000_000), result.StdOut);
        Assert.Equal(new string('e', 3_000_000), result.StdErr);
    }

    [Fact]
    public async Task Arguments_reach_the_program_as_they_are()
    {
        string[] arguments = ["%s|%s|%s|%s", "a b", "$(id)", "\"q'\\", ""];

        ProcessResult result = await _runner.RunAsync("printf", arguments, Eventually.Timeout());

        Assert.Equal("a b|$(id)|\"q'\\|", result.StdOut);
    }

    [Fact]
    public async Task There_is_nothing_to_read_on_the_input()
        => Assert.Equal(new ProcessResult(0, "", ""), await _runner.RunAsync("cat", [], Eventually.Timeout()));

    [Fact]
    public async Task Cancellation_kills_the_program_and_its_children()
    {
        using TemporaryDirectory directory = new();
        string pids = directory.Combine("pids");
        using CancellationTokenSource stopping = new();

        Task<ProcessResult> run = _runner.RunAsync(
            "sh", ["-c", "sleep 1000 & echo $$ $! > \"$1.new\"; mv \"$1.new\" \"$1\"; wait", "sh", pids], stopping.Token);
        await Eventually.True(() => File.Exists(pids), "the program has started its child");
        await stopping.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        foreach (string pid in (await File.ReadAllTextAsync(pids)).Split(' ', StringSplitOptions.TrimEntries))
            await Eventually.True(() => IsDead(pid), $"process {pid} is dead");
    }

    [Fact]
    public async Task A_run_that_is_cancelled_before_it_starts_does_not_start()
    {
        using TemporaryDirectory directory = new();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => _runner.RunAsync("touch", [directory.Combine("started")], new CancellationToken(canceled: true)));
        Assert.False(File.Exists(directory.Combine("started")));
    }

    [Fact]
    public async Task A_program_that_is_absent_cannot_start()
    {
        Win32Exception exception = await Assert.ThrowsAsync<Win32Exception>(
            () => _runner.RunAsync("/proc/absent", [], Eventually.Timeout()));

        Assert.Equal((int)Errno.ENOENT, exception.NativeErrorCode);
    }

    // A zombie nobody has collected is dead.
    private static bool IsDead(string pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/stat").Split(") ")[^1].StartsWith('Z');
        }
        catch (IOException)
        {
            return true;
        }
    }
}
