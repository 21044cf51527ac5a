// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace EbpfLb.Architecture.Tests;

/// <summary>Who may see whom.</summary>
public sealed partial class ProjectTests
{
    private const string Wall = "src/EbpfLb.Linux/";

    private static readonly Dictionary<string, string[]> References = new()
    {
        ["EbpfLb.LoadBalancing"] = [],
        ["EbpfLb.Linux"] = [],
        ["EbpfLb.Kubernetes"] = ["EbpfLb.LoadBalancing"],
        ["EbpfLb.Datapath"] = ["EbpfLb.Linux", "EbpfLb.LoadBalancing"],
        ["EbpfLb.Agent"] = ["EbpfLb.Datapath", "EbpfLb.Kubernetes", "EbpfLb.Linux", "EbpfLb.LoadBalancing"],
        ["EbpfLb.Cli"] = ["EbpfLb.Agent", "EbpfLb.Datapath"],
    };

    private static IEnumerable<string> ShippedProjects => Projects.Where(file => file.StartsWith("src/", StringComparison.Ordinal));

    private static IEnumerable<string> Projects => Repository.WithEnding(".csproj");

    [Fact]
    public void Projects_refer_to_each_other_as_the_way_of_the_data_says()
    {
        var actual = ShippedProjects.ToDictionary(
            NameOf,
            project => Values(project, "ProjectReference", "Include").Select(NameOf).Order(StringComparer.Ordinal).ToArray());
        Assert.Equal(References.Keys.Order(StringComparer.Ordinal), actual.Keys.Order(StringComparer.Ordinal));
        foreach (var (project, expected) in References)
            Assert.Equal(expected, actual[project]);
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var listed = SolutionProject().Matches(Repository.Text("EbpfLb.sln"))
            .Select(match => match.Groups[1].Value.Replace('\\', '/'))
            .Order(StringComparer.Ordinal);
        Assert.Equal(Projects, listed);
    }

    [Fact]
    public void Native_functions_are_imported_behind_the_wall_only() => Repository.AssertNone(
        from file in Repository.WithEnding(".cs")
        where !file.StartsWith(Wall, StringComparison.Ordinal)
        from line in Numbered(file)
        where NativeImport().IsMatch(line.Text)
        select $"{file}:{line.Number}: {line.Text.Trim()}");

    [Fact]
    public void Unsafe_code_is_behind_the_wall_only()
    {
        Repository.AssertNone(
            from file in Repository.WithEnding(".csproj", ".props", ".targets")
            where !file.StartsWith(Wall, StringComparison.Ordinal)
            where Repository.Text(file).Contains("AllowUnsafeBlocks", StringComparison.Ordinal)
            select $"{file} allows unsafe blocks");
        Repository.AssertNone(
            from file in Repository.WithEnding(".cs")
            where !file.StartsWith(Wall, StringComparison.Ordinal)
            from line in Numbered(file)
            where UnsafeKeyword().IsMatch(CommentOrText().Replace(line.Text, ""))
            select $"{file}:{line.Number}: {line.Text.Trim()}");
    }

    private static string NameOf(string project) => Path.GetFileNameWithoutExtension(project);

    private static IEnumerable<string> Values(string project, string element, string attribute) =>
        XDocument.Load(Repository.PathOf(project)).Descendants(element).Select(item => item.Attribute(attribute)!.Value);

    private static IEnumerable<(int Number, string Text)> Numbered(string file) =>
        Repository.Lines(file).Select((text, index) => (index + 1, text));

    [GeneratedRegex(@"""([^""]+\.csproj)""")]
    private static partial Regex SolutionProject();

    [GeneratedRegex(@"^\s*\[[^\]]*\b(LibraryImport|DllImport)\b")]
    private static partial Regex NativeImport();

    [GeneratedRegex(@"\bunsafe\b")]
    private static partial Regex UnsafeKeyword();

    [GeneratedRegex(@"//.*$|""([^""\\]|\\.)*""")]
    private static partial Regex CommentOrText();
}
