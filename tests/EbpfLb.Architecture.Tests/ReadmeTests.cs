// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.RegularExpressions;

namespace EbpfLb.Architecture.Tests;

/// <summary>An explanation lives beside what it explains, is one page, and names nothing that is not there.</summary>
public sealed partial class ReadmeTests
{
    // A page of 80 lines, and a little air.
    private const int MaxLines = 90;

    private static readonly string[] Areas = ["bpf", "src", "tests", "tools"];

    // A class is as its file.
    private static readonly Lazy<HashSet<string>> TestNames = new(() =>
    [
        .. from file in Repository.WithEnding(".cs")
           where file.StartsWith("tests/", StringComparison.Ordinal)
           from Match method in PublicMethod().Matches(Repository.Text(file))
           select $"{Path.GetFileNameWithoutExtension(file)}.{method.Groups[1].Value}",
    ]);

    private static IEnumerable<string> Readmes => Repository.Files.Where(file => Path.GetFileName(file) == "README.md");

    [Fact]
    public void Every_folder_has_a_page()
    {
        var folders = Repository.Files.Select(file => file.Split('/'))
            .Where(parts => parts.Length > 2 && parts[0] is "src" or "tests" or "tools")
            .Select(parts => $"{parts[0]}/{parts[1]}");
        Repository.AssertNone(
            from folder in Areas.Concat(folders).Distinct()
            where !Repository.Files.Contains($"{folder}/README.md")
            select $"{folder} has no README.md");
    }

    [Fact]
    public void A_page_of_a_folder_is_one_page() => Repository.AssertNone(
        from file in Readmes
        where file.Contains('/', StringComparison.Ordinal)
        let length = Repository.Lines(file).Length
        where length > MaxLines
        select $"{file} has {length} lines, more than {MaxLines}");

    [Fact]
    public void Links_lead_somewhere() => Repository.AssertNone(
        from file in Readmes
        from Match link in Link().Matches(Repository.Text(file))
        let target = link.Groups[1].Value.Split('#')[0]
        where target.Length > 0 && !target.Contains(':', StringComparison.Ordinal)
        where !Path.Exists(Path.Combine(Repository.Root, Path.GetDirectoryName(file)!, target))
        select $"{file} links to {target}, which does not exist");

    [Fact]
    public void Files_that_are_named_exist() => Repository.AssertNone(
        from file in Readmes
        from Match mention in BackTicked().Matches(Repository.Text(file))
        let name = mention.Groups[1].Value
        where FileName().IsMatch(name) && !Exists(name)
        select $"{file} names {name}, which does not exist");

    [Fact]
    public void Tests_that_are_named_exist() => Repository.AssertNone(
        from file in Readmes
        from Match mention in TestName().Matches(Repository.Text(file))
        where !TestNames.Value.Contains($"{mention.Groups[1].Value}.{mention.Groups[2].Value}")
        select $"{file} names {mention.Value}, which is no test");

    // A page names files by their last parts: 'Sync/' is enough for 'src/EbpfLb.Datapath/Sync/'.
    private static bool Exists(string name)
    {
        string path = "/" + (name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name);
        return Repository.Files.Any(file => name.EndsWith('/')
            ? ("/" + file).Contains(path, StringComparison.Ordinal)
            : ("/" + file).EndsWith(path, StringComparison.Ordinal));
    }

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex BackTicked();

    [GeneratedRegex(@"`(\w+(?:Tests|Table|Properties))\.([A-Z]\w+)`")]
    private static partial Regex TestName();

    [GeneratedRegex(@"(?m)^    public (?:async )?(?:void|Task|Property) (\w+)\(")]
    private static partial Regex PublicMethod();

    // Folders end in a slash; what is built, and absolute paths, are no files of the tree.
    [GeneratedRegex(@"^(?!/|artifacts/)[\w./-]*(/|\w\.(cs|csproj|sln|props|targets|c|h|sh|py|txt|md|json|yaml|scenario)|Makefile)$")]
    private static partial Regex FileName();
}
