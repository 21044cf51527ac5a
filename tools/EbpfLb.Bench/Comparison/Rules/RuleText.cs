// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Bench.Comparison.Rules;

/// <summary>What does not depend on services, as it is typed.</summary>
internal static class RuleText
{
    public static string Read(string file)
    {
        using var reader = new StreamReader(typeof(RuleText).Assembly.GetManifestResourceStream($"rules/{file}")!);
        return reader.ReadToEnd();
    }
}
