// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text.RegularExpressions;

namespace EbpfLb.Architecture.Tests;

/// <summary>
/// The name of a test begins with the numbers it has in the catalogue of behaviours. Each number that kube-proxy's place demands has a
/// line in one list, with the classes of its tests.
/// </summary>
public sealed partial class CatalogueTests
{
    private const string List = "tests/SCENARIOS.md";

    /// <summary>In place of tests, before the reason why there are none.</summary>
    private const string None = "none: ";

    // Services and policies; datagrams whose endpoints change; the life of endpoints; restarts and upgrades; the API server; surroundings;
    // endurance; security.
    private static readonly (int First, int Last)[] Demanded = [(1, 34), (99, 104), (119, 181), (190, 190), (192, 203)];

    private static readonly ILookup<int, string> Classes = NumberedTests().ToLookup(test => test.Number, test => test.Class);

    private static IEnumerable<(int Number, string Tests)> Lines =>
        from line in Repository.Lines(List)
        let match = ListLine().Match(line)
        where match.Success
        select (NumberOf(match.Groups[1]), match.Groups[2].Value);

    [Fact]
    public void Every_behaviour_that_is_demanded_has_one_line() => Assert.Equal(
        Demanded.SelectMany(range => Enumerable.Range(range.First, range.Last - range.First + 1)),
        Lines.Select(line => line.Number));

    [Fact]
    public void Every_class_that_a_line_names_has_a_test_of_its_number() => Repository.AssertNone(
        from line in Lines
        where !line.Tests.StartsWith(None, StringComparison.Ordinal)
        let missing = NamesIn(line.Tests).Except(Classes[line.Number]).ToArray()
        where missing.Length > 0 || NamesIn(line.Tests).Length == 0
        select $"{List}: S{line.Number} names {string.Join(", ", missing)}; its tests are in {TestsOf(line.Number)}");

    [Fact]
    public void Only_a_behaviour_without_any_test_has_a_reason_instead() => Repository.AssertNone(
        from line in Lines
        where line.Tests.StartsWith(None, StringComparison.Ordinal) && Classes[line.Number].Any()
        select $"{List}: S{line.Number} says that there is none, and there are tests in {TestsOf(line.Number)}");

    private static IEnumerable<(int Number, string Class)> NumberedTests() =>
        from file in Repository.Files
        let name = ClassOf(file)
        where name is not null
        from Match test in NumberedTest().Matches(Repository.Text(file))
        from Capture number in test.Groups[1].Captures
        select (NumberOf(number), name);

    // Suite and class, as in Live.ClusterIpTests. What the fake API server does says nothing of the agent.
    private static string? ClassOf(string file)
    {
        if (file == "tools/e2e/scenarios.sh")
            return "e2e";

        var suite = Suite().Match(file);
        return suite.Success && suite.Groups[1].Value != "FakeApi" ? $"{suite.Groups[1].Value}.{suite.Groups[2].Value}" : null;
    }

    private static string[] NamesIn(string text) => [.. BackTicked().Matches(text).Select(match => match.Groups[1].Value)];

    private static string TestsOf(int number) =>
        string.Join(", ", Classes[number].Distinct().Order(StringComparer.Ordinal).Select(name => $"`{name}`"));

    private static int NumberOf(Capture capture) => int.Parse(capture.Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^\| S(\d+) \| [^|]+ \| ([^|]+) \|$")]
    private static partial Regex ListLine();

    [GeneratedRegex(@"(?m)^(?:    public (?:async )?(?:void|Task|Property) )?(?:S(\d+)_)+\w+\(")]
    private static partial Regex NumberedTest();

    [GeneratedRegex(@"^tests/EbpfLb\.(\w+)\.Tests/(?:.+/)?(\w+)\.cs$")]
    private static partial Regex Suite();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex BackTicked();
}
