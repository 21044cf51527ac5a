// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;

namespace EbpfLb.Scenarios.Tests;

/// <summary>Reads and writes the files of scenarios/; the README has their form.</summary>
internal static partial class ScenarioFile
{
    private const string Ending = ".scenario";

    private static readonly string Folder = typeof(ScenarioFile).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "Scenarios").Value!;

    public static IEnumerable<string> Names =>
        Directory.EnumerateFiles(Folder, "*" + Ending)
            .Select(path => Path.GetFileNameWithoutExtension(path)!).Order(StringComparer.Ordinal);

    public static Scenario Read(string name) => Parse(name, Text(name));

    public static string Text(string name) => File.ReadAllText(PathOf(name));

    public static void Write(Scenario scenario) => File.WriteAllText(PathOf(scenario.Name), Render(scenario));

    public static Scenario Parse(string name, string text)
    {
        var head = new List<string>();
        var sections = new List<(SectionKind Kind, string[] Arguments, StringBuilder Body)>();
        foreach (string line in text.ReplaceLineEndings("\n").Split('\n'))
        {
            if (SectionLine().Match(line) is { Success: true } match)
            {
                string[] arguments = match.Groups[2].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                sections.Add((KindOf(match.Groups[1].Value), arguments, new()));
            }
            else if (sections.Count > 0)
                sections[^1].Body.Append(line).Append('\n');
            else if (line.StartsWith('#'))
                head.Add(line);
            else if (line.Length > 0)
                throw new FormatException($"'{line}' stands before the first section and is no comment.");
        }

        var options = new ScenarioOptions();
        var steps = new List<ScenarioStep>();
        foreach (var (kind, arguments, body) in sections)
        {
            string content = body.ToString().Trim('\n');
            if (content.Length > 0)
                content += "\n";
            if (kind == SectionKind.Options)
                options = ScenarioOptions.Parse(content);
            else if (kind is SectionKind.Maps or SectionKind.Summary)
                steps[^1] = steps[^1] with { ExpectedAs = kind, Expected = content };
            else if (kind == SectionKind.Problems)
                steps[^1] = steps[^1] with { Problems = content };
            else
                steps.Add(new ScenarioStep(kind, Checked(kind, arguments), content));
        }

        if (head.Count == 0)
            throw new FormatException("The file begins with a comment that says the behaviour.");
        if (steps.Count == 0 || steps[^1].ExpectedAs is null)
            throw new FormatException("The last step is followed by maps or a summary.");
        return new Scenario(name, head, options, steps);
    }

    public static string Render(Scenario scenario)
    {
        var text = new StringBuilder();
        text.AppendJoin('\n', scenario.Head).Append('\n');
        if (scenario.Options.Text.Length > 0)
            Append(text, "options", scenario.Options.Text);
        foreach (var step in scenario.Steps)
        {
            Append(text, string.Join(' ', [NameOf(step.Kind), .. step.Arguments]), step.Body);
            if (step.ExpectedAs is { } form)
                Append(text, NameOf(form), step.Expected!);
            if (step.Problems.Length > 0)
                Append(text, NameOf(SectionKind.Problems), step.Problems);
        }

        return text.ToString();
    }

    private static string PathOf(string name) => Path.Combine(Folder, name + Ending);

    private static void Append(StringBuilder text, string section, string body) => text.Append($"\n-- {section} --\n").Append(body);

    private static SectionKind KindOf(string name) => Enum.TryParse(name, ignoreCase: true, out SectionKind kind)
        ? kind
        : throw new FormatException($"'{name}' is not a section.");

    private static string NameOf(SectionKind kind) => kind.ToString().ToLowerInvariant();

    private static string[] Checked(SectionKind kind, string[] arguments)
    {
        int expected = kind switch
        {
            SectionKind.Apply or SectionKind.Delete => 1,
            SectionKind.Rename => 2,
            _ => 0,
        };
        return arguments.Length == expected
            ? arguments
            : throw new FormatException($"'{NameOf(kind)}' takes {expected} file names, not {arguments.Length}.");
    }

    [GeneratedRegex("^-- ([a-z]+)((?: [^ ]+)*) --$")]
    private static partial Regex SectionLine();
}
