// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using EbpfLb.Cli.Output;

namespace EbpfLb.Cli.Commands;

/// <summary>Things of one kind: a row and a JSON object each.</summary>
/// <param name="noun">In the plural, for the sentence that says there are none.</param>
/// <param name="columns">Headers and cells; a null header is a column that only the wide format has.</param>
internal sealed class ListReport<T>(string noun, IReadOnlyList<T> items, Func<T, JsonObject> toJson, params Column<T>[] columns) : Report
{
    public override JsonNode ToJson() => new JsonArray([.. items.Select(toJson)]);

    public override void WriteTable(Terminal terminal, bool wide)
    {
        if (items.Count == 0)
        {
            terminal.Error.WriteLine($"No {noun}.");
            return;
        }

        var shown = columns.Where(column => wide || !column.OnlyWide).ToArray();
        var table = new TextTable([.. shown.Select(column => column.Header)]);
        foreach (var item in items)
            table.Add([.. shown.Select(column => column.Cell(item))]);
        table.WriteTo(terminal);
    }
}

internal sealed record Column<T>(string Header, Func<T, string> Cell, bool OnlyWide = false);
