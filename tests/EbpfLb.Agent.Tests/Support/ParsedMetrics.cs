// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace EbpfLb.Agent.Tests.Support;

/// <summary>
/// Reads the text format 0.0.4 strictly: every line must be one of the three kinds, every sample belong to the family before it, no
/// series stand twice, and histograms be complete and cumulative.
/// </summary>
internal sealed partial class ParsedMetrics
{
    private readonly Dictionary<string, double> _samples = new(StringComparer.Ordinal);

    public Dictionary<string, string> Types { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, string> Help { get; } = new(StringComparer.Ordinal);

    public IReadOnlyCollection<string> Series => _samples.Keys;

    public double this[string name, params (string Name, string Value)[] labels] => _samples[Key(name, labels)];

    public static ParsedMetrics Parse(byte[] utf8)
    {
        string text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(utf8);
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        var metrics = new ParsedMetrics();
        string family = "";
        foreach (string line in text[..^1].Split('\n'))
        {
            if (HelpLine().Match(line) is { Success: true } help)
            {
                family = help.Groups[1].Value;
                Assert.True(metrics.Help.TryAdd(family, help.Groups[2].Value), line);
            }
            else if (TypeLine().Match(line) is { Success: true } type)
            {
                Assert.Equal(family, type.Groups[1].Value);
                metrics.Types.Add(family, type.Groups[2].Value);
            }
            else
            {
                metrics.AddSample(line, family);
            }
        }

        return metrics;
    }

    public double[] BucketsOf(string name, params (string Name, string Value)[] labels)
    {
        string prefix = Key(name + "_bucket", labels);
        var buckets = _samples.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal))
            .Select(key => key[(key.LastIndexOf("le=", StringComparison.Ordinal) + 3)..]).ToArray();
        double count = 0;
        foreach (string bucket in buckets)
        {
            double value = _samples[Key(name + "_bucket", [.. labels, ("le", bucket)])];
            Assert.True(value >= count, $"{name} is not cumulative at {bucket}");
            count = value;
        }

        Assert.Equal("+Inf", buckets[^1]);
        Assert.Equal(count, this[name + "_count", labels]);
        Assert.True(_samples.ContainsKey(Key(name + "_sum", labels)));
        return [.. buckets[..^1].Select(bucket => double.Parse(bucket, CultureInfo.InvariantCulture))];
    }

    private static string Key(string name, (string Name, string Value)[] labels) =>
        name + string.Concat(labels.Select(label => $"\u0001{label.Name}={label.Value}"));

    private void AddSample(string line, string family)
    {
        var sample = SampleLine().Match(line);
        Assert.True(sample.Success, $"not a line of the format: {line}");
        string name = sample.Groups["name"].Value;
        string[] own = Types[family] == "histogram" ? [family + "_bucket", family + "_sum", family + "_count"] : [family];
        Assert.Contains(name, own);
        (string, string)[] labels = [.. sample.Groups["label"].Captures.Zip(sample.Groups["value"].Captures)
            .Select(label => (label.First.Value, Unescape(label.Second.Value)))];
        string number = sample.Groups["number"].Value;
        double value = number == "+Inf" ? double.PositiveInfinity : double.Parse(number, CultureInfo.InvariantCulture);
        Assert.True(_samples.TryAdd(Key(name, labels), value), $"twice: {line}");
    }

    private static string Unescape(string value) =>
        EscapedCharacter().Replace(value, match => match.Value == "\\n" ? "\n" : match.Value[1..]);

    [GeneratedRegex(@"^# HELP ([a-z][a-z0-9_]*) (.+)$")]
    private static partial Regex HelpLine();

    [GeneratedRegex(@"^# TYPE ([a-z][a-z0-9_]*) (counter|gauge|histogram)$")]
    private static partial Regex TypeLine();

    [GeneratedRegex("""
        ^(?<name>[a-z][a-z0-9_]*)
        (?:\{(?:(?<label>[a-z_]+)="(?<value>(?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,(?=[a-z])|(?=\})))+\})?
        [ ](?<number>[-+0-9.eE]+|\+Inf|NaN)$
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex SampleLine();

    [GeneratedRegex(@"\\.")]
    private static partial Regex EscapedCharacter();
}
