// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using EbpfLb.Cli.Output;

namespace EbpfLb.Cli.Commands;

internal abstract class ListReport : Report
{
    public abstract bool IsEmpty { get; }

    public abstract JsonArray ToJson();
}

/// <summary>Things of one kind: a row and a JSON object each.</summary>
/// <param name="noun">In the plural, for the sentence that says there are none.</param>
/// <param name="columns">Headers and cells.</param>
internal sealed class ListReport<T>(string noun, IReadOnlyList<T> items, Func<T, JsonObject> toJson, params Column<T>[] columns)
    : ListReport
{
    /// <summary>Beside a table that is not empty.</summary>
    public string? Remark { get; init; }

    public override bool IsEmpty => items.Count == 0;

    public override void WriteJson(TextWriter output) => JsonText.Write(output, items.Select(toJson));

    public override void WriteYaml(TextWriter output) => YamlText.Write(output, items.Select(toJson));

    public override JsonArray ToJson() => new([.. items.Select(toJson)]);

    public override void WriteTable(Terminal terminal, bool wide)
    {
        if (IsEmpty)
        {
            terminal.Error.WriteLine($"No {noun}.");
            return;
        }

        var shown = columns.Where(column => wide || !column.OnlyWide).ToArray();
        var table = new TextTable([.. shown.Select(column => column.Header)]);
        foreach (var item in items)
            table.Add([.. shown.Select(column => column.Cell(item))]);
        table.WriteTo(terminal);
        if (Remark is not null)
            terminal.Error.WriteLine(Remark);
    }
}

/// <param name="OnlyWide">Whether only the wide format has it.</param>
internal sealed record Column<T>(string Header, Func<T, string> Cell, bool OnlyWide = false);
