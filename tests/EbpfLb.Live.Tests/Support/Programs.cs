// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Processes;

namespace EbpfLb.Live.Tests.Support;

/// <summary>The programs these tests are about and those they need, and the one-shot way to run them.</summary>
internal static class Programs
{
    /// <summary>Names another agent to test, such as the published one.</summary>
    private const string ExecutableVariable = "EBPFLB_EXECUTABLE";

    private static readonly string Root = FindRoot();

    public static string Ebpflb { get; } = FindEbpflb();

    public static string Probe { get; } = Path.Combine(Root, "artifacts/tools/lbprobe");

    /// <summary>As it is built into the agent.</summary>
    public static string BpfObject(string name) => Path.Combine(Root, "artifacts/bpf", $"{name}.bpf.o");

    public static string ClusterScript { get; } = Path.Combine(Root, "tools/playground/cluster.sh");

    public static Task<ProcessResult> RunAsync(string program, params IReadOnlyList<string> arguments) =>
        new ProcessRunner().RunAsync(program, arguments, Eventually.Timeout());

    /// <summary>What the program says, after it has ended with 0.</summary>
    public static async Task<string> OutputOfAsync(string program, params IReadOnlyList<string> arguments)
    {
        var result = await RunAsync(program, arguments);
        Assert.True(
            result.ExitCode == 0,
            $"{program} {string.Join(' ', arguments)}: exit status {result.ExitCode}\n{result.StdOut}{result.StdErr}");
        return result.StdOut;
    }

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "EbpfLb.sln")))
            directory = directory.Parent ?? throw new InvalidOperationException($"{AppContext.BaseDirectory} is in no work tree.");
        return directory.FullName;
    }

    private static string FindEbpflb()
    {
        if (Environment.GetEnvironmentVariable(ExecutableVariable) is { Length: > 0 } chosen)
            return Path.GetFullPath(chosen, Root);

        // bin/CONFIGURATION/FRAMEWORK, as this assembly's own.
        var framework = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/'));
        return Path.Combine(Root, "src/EbpfLb.Cli/bin", framework.Parent!.Name, framework.Name, "ebpflb");
    }
}
