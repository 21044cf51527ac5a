// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Xml.Linq;

namespace EbpfLb.Bench.Comparison.Reporting.Charts;

/// <summary>Which colour and shape is which mode, in as many rows as the width asks for.</summary>
internal static class Legend
{
    public const double RowHeight = 19;

    private const double Mark = 15;
    private const double Gap = 14;

    public static double HeightOf(IReadOnlyList<string> modes, double width) =>
        (Place(modes, width).Max(place => place.Row) + 1) * RowHeight;

    public static IEnumerable<XElement> Draw(IReadOnlyList<string> modes, double width) =>
        from place in Place(modes, width)
        let y = (place.Row * RowHeight) + 10
        from element in new[]
        {
            Svg.Group(ChartStyle.ClassOf(place.Mode), [Svg.Path(ChartStyle.Mark(place.Mode, place.X + 6, y), "mark")]),
            Svg.Text(place.X + Mark, y + 4.5, Words.Name(place.Mode)),
        }
        select element;

    private static List<(string Mode, double X, int Row)> Place(IReadOnlyList<string> modes, double width)
    {
        var places = new List<(string, double, int)>();
        double x = 0;
        int row = 0;
        foreach (string mode in modes)
        {
            double needed = Mark + Svg.WidthOf(Words.Name(mode));
            if (x > 0 && x + needed > width)
                (x, row) = (0, row + 1);
            places.Add((mode, x, row));
            x += needed + Gap;
        }

        return places;
    }
}
