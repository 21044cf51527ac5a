// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Cli.Tests.Support;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Cgroups;

namespace EbpfLb.Cli.Tests;

public sealed class CleanupTests
{
    [PrivilegedFact]
    public void Cleanup_leaves_nothing_and_a_second_one_finds_nothing()
    {
        using var node = new TestNode();
        node.Program(Shop.Services);
        node.Stop();

        var first = Cleanup(node);
        Assert.Equal((ExitCode.Done, ""), (first.ExitCode, first.Error));
        Assert.Equal($"Removed 8 links, 14 programs and 23 maps from {node.PinPath}.\n", first.Out);
        Assert.Equal(node.InitialEntries, Directory.GetFileSystemEntries(node.BpfFs).Order());
        using (var cgroup = CgroupDirectory.Open(node.Cgroup))
            Assert.Empty(BpfCgroup.QueryPrograms(cgroup, BpfAttachType.CgroupInet4Connect, effective: false, out _));

        var second = Cleanup(node);
        Assert.Equal((ExitCode.Done, ""), (second.ExitCode, second.Error));
        Assert.Equal($"Nothing to do: no datapath is installed on {node.BpfFs}.\n", second.Out);
    }

    [PrivilegedFact]
    public void Cleanup_is_refused_while_an_agent_runs()
    {
        using var node = new TestNode();
        node.WriteAgent();

        var result = Cleanup(node);

        Assert.Equal((ExitCode.Failed, ""), (result.ExitCode, result.Out));
        Assert.StartsWith($"error: {node.PinPath} is locked by process {Environment.ProcessId}: ", result.Error, StringComparison.Ordinal);
        Assert.Equal("OK", Shell.Run("status", "--bpffs", node.BpfFs).Lines[0]);
    }

    [PrivilegedFact]
    public void What_is_not_ours_is_left_and_named()
    {
        using var node = new TestNode();
        node.Stop();
        string foreign = Path.Combine(node.PinPath, "somebody_elses");
        using (var map = BpfMap.OpenPinned(Path.Combine(node.PinPath, "vips_v1")))
            map.Pin(foreign);

        var result = Cleanup(node);

        Assert.Equal((ExitCode.Done, ""), (result.ExitCode, result.Error));
        Assert.EndsWith($"\nLeft in place, because it is not ours: {foreign}\n", result.Out, StringComparison.Ordinal);
        Assert.Equal([foreign], Directory.EnumerateFileSystemEntries(node.PinPath));

        var again = Cleanup(node);
        Assert.Equal(ExitCode.Done, again.ExitCode);
        Assert.StartsWith($"Nothing to do: {node.PinPath} held no program and no map of ours.\n", again.Out, StringComparison.Ordinal);
        Assert.True(File.Exists(foreign));
    }

    private static Shell.Result Cleanup(TestNode node) => Shell.Run("cleanup", "--bpffs", node.BpfFs);
}
