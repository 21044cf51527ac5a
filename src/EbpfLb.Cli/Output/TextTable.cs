// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace EbpfLb.Cli.Output;

/// <summary>
/// Columns without lines, as kubectl prints them: a row is one line however long, and a narrow terminal may break it. Cells are text,
/// never markup.
/// </summary>
internal sealed class TextTable(string[] headers)
{
    // Wider than any row, and small enough for the sums the layout makes of it.
    private const int Unlimited = 1 << 20;

    // The layout holds every cell several times over; a table of 100,000 backends is laid out piece by piece.
    private const int Piece = 1000;

    private readonly List<string[]> _rows = [];

    public void Add(string[] cells) => _rows.Add([.. cells.Select(cell => cell.Length == 0 ? "-" : Printable.Of(cell))]);

    public void WriteTo(Terminal terminal)
    {
        // Given to every piece, so that their columns stand below each other.
        int[] widths = [.. headers.Select((header, column) => _rows.Select(row => row[column]).Append(header).Max(Width))];
        WritePiece(terminal, widths, showHeaders: true, _rows.Take(Piece));
        for (int start = Piece; start < _rows.Count; start += Piece)
            WritePiece(terminal, widths, showHeaders: false, _rows.Skip(start).Take(Piece));
    }

    private static int Width(string text) => Ascii.IsValid(text) ? text.Length : new Segment(text).CellCount();

    private void WritePiece(Terminal terminal, int[] widths, bool showHeaders, IEnumerable<string[]> rows)
    {
        var table = new Table { Border = TableBorder.None, ShowHeaders = showHeaders, Expand = false };
        foreach (var (header, width) in headers.Zip(widths))
            table.AddColumn(new TableColumn(new Text(header)) { Width = width, Padding = new Padding(0, 0, 3, 0) });
        foreach (string[] row in rows)
            table.AddRow(row.Select(cell => new Text(cell)));

        var rendered = new StringWriter();
        Console(rendered).Write(table);

        // The layout fills the last column up with blanks.
        foreach (string line in rendered.ToString().TrimEnd('\n').Split('\n'))
            terminal.Out.WriteLine(line.TrimEnd());
    }

    private static IAnsiConsole Console(TextWriter writer)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
        });
        console.Profile.Width = Unlimited;
        return console;
    }
}
