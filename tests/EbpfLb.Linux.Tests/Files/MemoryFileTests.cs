// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Files;
using EbpfLb.Linux.Processes;

namespace EbpfLb.Linux.Tests.Files;

public sealed class MemoryFileTests
{
    [Fact]
    public async Task A_child_reads_the_content()
    {
        byte[] content = [.. Enumerable.Range(0, 1_000_000).Select(i => (byte)('a' + (i % 26)))];
        using MemoryFile file = MemoryFile.Create("lb_sock.bpf.o", content);

        ProcessResult result = await new ProcessRunner().RunAsync("cat", [file.PathForChild], Eventually.Timeout());

        Assert.Equal(0, result.ExitCode);
        Assert.Equal(content, result.StdOut.Select(character => (byte)character));
    }

    [Fact]
    public async Task A_child_can_neither_write_nor_resize_it()
    {
        using MemoryFile file = MemoryFile.Create("sealed", "content"u8);
        ProcessRunner runner = new();

        ProcessResult write = await runner.RunAsync(
            "dd", ["if=/dev/zero", $"of={file.PathForChild}", "bs=1", "count=1", "conv=notrunc"], Eventually.Timeout());
        ProcessResult resize = await runner.RunAsync("truncate", ["-s", "100", file.PathForChild], Eventually.Timeout());

        Assert.Contains("Operation not permitted", write.StdErr, StringComparison.Ordinal);
        Assert.Contains("Operation not permitted", resize.StdErr, StringComparison.Ordinal);
        Assert.Equal("content", await File.ReadAllTextAsync(file.PathForChild));
    }

    [Fact]
    public async Task A_child_does_not_inherit_it()
    {
        using MemoryFile file = MemoryFile.Create("private-to-us", "content"u8);

        ProcessResult result = await new ProcessRunner().RunAsync("ls", ["-l", "/proc/self/fd"], Eventually.Timeout());

        Assert.Equal(0, result.ExitCode);
        Assert.DoesNotContain("private-to-us", result.StdOut, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_file_is_a_file()
    {
        using MemoryFile file = MemoryFile.Create("empty", []);

        Assert.Equal("", File.ReadAllText(file.PathForChild));
    }
}
