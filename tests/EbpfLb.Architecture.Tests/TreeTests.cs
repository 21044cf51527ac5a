// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.RegularExpressions;

namespace EbpfLb.Architecture.Tests;

/// <summary>What stands where, and how long it may be.</summary>
public sealed partial class TreeTests
{
    private const int MaxSourceLines = 400;
    private const int MaxFunctionLines = 120;

    // A licence line comes first, or second after a line that must be first itself.
    private const string Licence = "SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0";

    private static readonly string[] TopLevel = ["EbpfLb.sln", "LICENSE", "Makefile", "README.md", "bpf", "src", "tests", "tools"];

    [Fact]
    public void The_top_level_is_the_one_agreed_on()
    {
        var entries = Repository.Files.Select(file => file.Split('/')[0]).Distinct()
            .Where(name => name[0] != '.' && !DirectoryProperties().IsMatch(name))
            .Order(StringComparer.Ordinal);
        Assert.Equal(TopLevel, entries);
    }

    [Fact]
    public void Every_source_begins_with_one_licence_line() => Repository.AssertNone(
        from file in Repository.Files
        where IsSource(file)
        let lines = Repository.Lines(file)
        let first = lines.Length > 0 && lines[0].StartsWith('#') && !lines[0].Contains(Licence, StringComparison.Ordinal) ? 1 : 0
        let count = lines.Count(line => LicenceLine().IsMatch(line))
        where count != 1 || first >= lines.Length || !lines[first].Contains(Licence, StringComparison.Ordinal)
        select $"{file} has {count} licence lines, or not at its beginning");

    [Fact]
    public void No_source_file_is_longer_than_a_reader_can_hold() => Repository.AssertNone(
        from file in Repository.WithEnding(".cs")
        where file.StartsWith("src/", StringComparison.Ordinal)
        let length = Repository.Lines(file).Length
        where length > MaxSourceLines
        select $"{file} has {length} lines, more than {MaxSourceLines}");

    [Fact]
    public void No_C_function_is_longer_than_a_reader_can_hold()
    {
        var functions = Repository.WithEnding(".c", ".h").SelectMany(file => CFunctions.In(file, Repository.Lines(file))).ToArray();
        Assert.Contains(functions, function => function.File.StartsWith("bpf/lib/", StringComparison.Ordinal));
        Repository.AssertNone(
            from function in functions
            where function.Length > MaxFunctionLines
            select $"{function.File}:{function.Line} has {function.Length} lines, more than {MaxFunctionLines}");
    }

    private static bool IsSource(string file) =>
        Path.GetExtension(file) is ".cs" or ".c" or ".h" or ".sh" or ".py"
        || Path.GetFileName(file) == "Makefile" || file == ".ci/run";

    [GeneratedRegex(@"^Directory\..*\.props$")]
    private static partial Regex DirectoryProperties();

    [GeneratedRegex(@"^\W*SPDX-License-Identifier:")]
    private static partial Regex LicenceLine();
}
