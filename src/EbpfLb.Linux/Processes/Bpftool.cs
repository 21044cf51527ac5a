// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.ComponentModel;
using System.Text.Json;

namespace EbpfLb.Linux.Processes;

public sealed class Bpftool : IBpftool
{
    private const string Name = "bpftool";
    private const string Install = "install bpftool (Debian: the package bpftool; Ubuntu: linux-tools), or say where it is";

    private readonly string _fileName;
    private readonly ProcessRunner _runner;

    public Bpftool(string fileName, ProcessRunner runner)
    {
        _fileName = fileName;
        _runner = runner;
    }

    /// <summary>The path given, or the first of PATH, /usr/sbin and /sbin that has it. A service's PATH often lacks the last two.</summary>
    /// <exception cref="BpftoolException">There is none, or others than its owner may write to it.</exception>
    public static string Locate(string? explicitPath)
    {
        string path = Locate(explicitPath, Environment.GetEnvironmentVariable("PATH"), File.Exists);
        // It runs with what loading programs takes, so whoever can change it has that.
        var target = File.ResolveLinkTarget(path, returnFinalTarget: true) ?? new FileInfo(path);
        return (target.UnixFileMode & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) == 0
            ? path
            : throw new BpftoolException(path, [], null, "", "others than its owner may write to it: chmod go-w, or name another one");
    }

    public async Task<string> VersionAsync(CancellationToken stopping)
    {
        string output = await RunAsync(["version"], stopping).ConfigureAwait(false);
        // The word before it is the path the tool was called by.
        return output.Split('\n', 2)[0].Trim().Split(' ')[^1];
    }

    public async Task LoadAllAsync(
        string objectPath,
        string programDirectory,
        IReadOnlyDictionary<string, string> pinnedMaps,
        string? pinMapsDirectory,
        CancellationToken stopping)
    {
        // --nomount: a directory that is no BPF file system is an error, not an occasion to mount one there.
        List<string> arguments = ["--nomount", "prog", "loadall", objectPath, programDirectory];
        foreach ((string name, string pin) in pinnedMaps)
            arguments.AddRange(["map", "name", name, "pinned", pin]);
        if (pinMapsDirectory is not null)
            arguments.AddRange(["pinmaps", pinMapsDirectory]);
        await RunAsync(arguments, stopping).ConfigureAwait(false);
    }

    public async Task<JsonDocument> DumpBtfAsync(string objectPath, CancellationToken stopping)
    {
        string[] arguments = ["--json", "btf", "dump", "file", objectPath];
        string output = await RunAsync(arguments, stopping).ConfigureAwait(false);
        try
        {
            return JsonDocument.Parse(output);
        }
        catch (JsonException exception)
        {
            throw new BpftoolException(_fileName, arguments, 0, "", "its output is not JSON", exception);
        }
    }

    internal static string Locate(string? explicitPath, string? path, Func<string, bool> exists)
    {
        if (explicitPath is not null)
        {
            return exists(explicitPath)
                ? explicitPath
                : throw new BpftoolException(explicitPath, [], null, "", "there is no such file");
        }

        IEnumerable<string> directories = (path ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries).Concat(["/usr/sbin", "/sbin"]);
        return directories.Select(directory => Path.Combine(directory, Name)).FirstOrDefault(exists)
            ?? throw new BpftoolException(Name, [], null, "", $"not found in PATH, /usr/sbin or /sbin: {Install}");
    }

    private static string? CauseOf(string stdErr, int exitCode)
    {
        if (stdErr.Contains("Operation not permitted", StringComparison.Ordinal))
            return "not permitted: it takes CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, or CAP_SYS_ADMIN" + MissingCapabilities();
        if (exitCode == 127 || stdErr.Contains("command not found", StringComparison.Ordinal))
            return $"not found: {Install}";
        // What Ubuntu's wrapper says when the tools of the running kernel are not installed.
        if (stdErr.Contains("WARNING: bpftool not found for kernel", StringComparison.Ordinal))
            return "no bpftool for the running kernel: install linux-tools for it, or say where another one is";
        return null;
    }

    private static string MissingCapabilities()
    {
        string missing = string.Join(", ", Capabilities.MissingForBpf());
        return missing.Length == 0 ? "" : $"; this process lacks {missing}";
    }

    private async Task<string> RunAsync(IReadOnlyList<string> arguments, CancellationToken stopping)
    {
        ProcessResult result;
        try
        {
            result = await _runner.RunAsync(_fileName, arguments, stopping).ConfigureAwait(false);
        }
        catch (Win32Exception exception)
        {
            string cause = exception.NativeErrorCode == (int)Errno.ENOENT ? $"not found: {Install}" : exception.Message;
            throw new BpftoolException(_fileName, arguments, null, "", cause, exception);
        }

        return result.ExitCode == 0
            ? result.StdOut
            : throw new BpftoolException(_fileName, arguments, result.ExitCode, result.StdErr, CauseOf(result.StdErr, result.ExitCode));
    }
}
