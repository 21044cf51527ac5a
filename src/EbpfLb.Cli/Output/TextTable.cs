// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using Spectre.Console;

namespace EbpfLb.Cli.Output;

/// <summary>Columns without lines, as kubectl prints them. Cells are text, never markup.</summary>
internal sealed class TextTable(string[] headers)
{
    // Where nothing is wrapped. Small enough for the sums the layout makes of it.
    private const int Unlimited = 1 << 20;

    private readonly List<string[]> _rows = [];

    public void Add(string[] cells) => _rows.Add(cells);

    public void WriteTo(Terminal terminal)
    {
        var table = new Table { Border = TableBorder.None, ShowHeaders = true, Expand = false };
        foreach (string header in headers)
            table.AddColumn(new TableColumn(Cell(header)) { Padding = new Padding(0, 0, 3, 0) });
        foreach (string[] row in _rows)
            table.AddRow(row.Select(cell => Cell(Printable.Of(cell))));

        var rendered = new StringWriter();
        Console(terminal, rendered).Write(table);

        // The layout fills the last column up with blanks.
        foreach (string line in rendered.ToString().TrimEnd('\n').Split('\n'))
            terminal.Out.WriteLine(line.TrimEnd());
    }

    private static Text Cell(string text) => new Text(text.Length == 0 ? "-" : text);

    private static IAnsiConsole Console(Terminal terminal, TextWriter writer)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
        });
        console.Profile.Width = terminal.Width ?? Unlimited;
        return console;
    }
}
