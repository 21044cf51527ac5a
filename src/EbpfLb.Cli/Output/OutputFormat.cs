// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.CommandLine;

namespace EbpfLb.Cli.Output;

internal enum OutputFormat
{
    /// <summary>What is printed when nothing is said.</summary>
    Table = 0,
    Wide,
    Json,
    Yaml,
}

internal static class OutputFormats
{
    public static Option<OutputFormat> Option(bool hasWide)
    {
        string[] names = hasWide ? ["table", "wide", "json", "yaml"] : ["table", "json", "yaml"];
        var option = new Option<OutputFormat>("--output", "-o")
        {
            Description = $"One of {string.Join(", ", names)}. Default: table.",
            HelpName = "FORMAT",
            CustomParser = result =>
            {
                string text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
                if (names.Contains(text) && Enum.TryParse<OutputFormat>(text, ignoreCase: true, out var format))
                    return format;

                result.AddError($"--output {text}: there is no such format. Use one of {string.Join(", ", names)}.");
                return default;
            },
        };
        option.CompletionSources.Clear();
        option.CompletionSources.Add(names);
        return option;
    }
}
