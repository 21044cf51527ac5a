// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.ComponentModel;
using System.Diagnostics;
using System.Reflection;

namespace EbpfLb.Architecture.Tests;

/// <summary>The files of the tree: those git knows or, in a tree without git, those no build made.</summary>
internal static class Repository
{
    private static readonly string[] Built = ["bin", "obj", "artifacts", "TestResults", ".git"];

    public static string Root { get; } = typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "RepositoryRoot").Value!;

    /// <summary>Relative to the root, with slashes.</summary>
    public static IReadOnlyList<string> Files { get; } =
        [.. (ListByGit() ?? Walk("")).Where(file => File.Exists(PathOf(file))).Order(StringComparer.Ordinal)];

    public static string PathOf(string file) => Path.Combine(Root, file);

    public static string Text(string file) => File.ReadAllText(PathOf(file));

    public static string[] Lines(string file) => File.ReadAllLines(PathOf(file));

    public static IEnumerable<string> WithEnding(params string[] endings) =>
        Files.Where(file => endings.Any(ending => file.EndsWith(ending, StringComparison.Ordinal)));

    /// <summary>Every one of several findings in one message.</summary>
    public static void AssertNone(IEnumerable<string> findings)
    {
        string[] found = [.. findings];
        Assert.True(found.Length == 0, $"{found.Length} findings:\n{string.Join('\n', found)}");
    }

    private static string[]? ListByGit()
    {
        var start = new ProcessStartInfo("git", ["ls-files", "-z"])
        {
            WorkingDirectory = Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using var git = Process.Start(start)!;
            string output = git.StandardOutput.ReadToEnd();
            git.WaitForExit();
            return git.ExitCode == 0 && output.Length > 0 ? output.Split('\0', StringSplitOptions.RemoveEmptyEntries) : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    private static IEnumerable<string> Walk(string folder)
    {
        foreach (string path in Directory.EnumerateFiles(PathOf(folder)))
            yield return Path.GetRelativePath(Root, path);
        foreach (string path in Directory.EnumerateDirectories(PathOf(folder)).Where(path => !Built.Contains(Path.GetFileName(path))))
        {
            foreach (string file in Walk(Path.GetRelativePath(Root, path)))
                yield return file;
        }
    }
}
