// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using EbpfLb.Cli.Output;

namespace EbpfLb.Cli.Commands;

/// <summary>Several lists, one below the other; in JSON an object of arrays, even of one.</summary>
internal sealed class SectionsReport(IReadOnlyList<SectionsReport.Section> sections) : Report
{
    public override void WriteJson(TextWriter output) => JsonText.Write(output, ToJson());

    public override void WriteYaml(TextWriter output) => YamlText.Write(output, ToJson());

    public override void WriteTable(Terminal terminal, bool wide)
    {
        bool first = true;
        foreach (var section in sections)
        {
            if (sections.Count > 1 && !section.List.IsEmpty)
                terminal.Out.WriteLine(first ? $"{section.Title}:" : $"\n{section.Title}:");
            first &= section.List.IsEmpty;
            section.List.WriteTable(terminal, wide);
        }

        var shown = sections.Where(section => !section.List.IsEmpty);
        foreach (string remark in shown.Select(section => section.Remark).OfType<string>().Distinct())
            terminal.Error.WriteLine(remark);
    }

    private JsonObject ToJson() => new(
        sections.Select(section => KeyValuePair.Create<string, JsonNode?>(section.Key, section.List.ToJson())));

    /// <param name="Key">In JSON.</param>
    /// <param name="Remark">Written once below the tables, however many sections have it.</param>
    internal sealed record Section(string Key, string Title, ListReport List, string? Remark);
}
