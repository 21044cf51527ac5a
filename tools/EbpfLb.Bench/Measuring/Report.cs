// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text.Json;

namespace EbpfLb.Bench.Measuring;

/// <summary>Figures in the order they were measured.</summary>
internal sealed class Report(IReadOnlyList<KeyValuePair<string, string>> machine)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly List<Measurement> _measurements = [];
    private readonly List<string> _failures = [];

    public int HardBarsMissed => _measurements.Count(measurement => measurement is { Met: false, Bar.Hard: true });

    public void Add(Measurement measurement)
    {
        _measurements.Add(measurement with { Load = Machine.Load() });
        Console.Error.WriteLine($"  {measurement.Name}: {Number(measurement.Value)} {measurement.Unit} {measurement.Spread}");
    }

    public void AddFailure(string failure) => _failures.Add(failure);

    public void Print(TextWriter output)
    {
        foreach (var (name, value) in machine)
            output.WriteLine($"{name,-12}{value}");

        int nameWidth = _measurements.Select(measurement => measurement.Name.Length).DefaultIfEmpty().Max() + 2;
        string? part = null;
        foreach (var measurement in _measurements)
        {
            if (measurement.Part != part)
                output.WriteLine($"\n{part = measurement.Part}");

            string value = $"{Number(measurement.Value)} {measurement.Unit}";
            output.Write($"  {measurement.Name.PadRight(nameWidth)}{value,-16}{measurement.Spread ?? "",-28}");
            string load = $"load {measurement.Load.ToString("0.0", CultureInfo.InvariantCulture)}";
            output.WriteLine($"{Verdict(measurement),-24}{load,-11}{measurement.Method}");
        }

        output.WriteLine();
        foreach (string failure in _failures)
            output.WriteLine($"could not be measured: {failure}");
        int missed = _measurements.Count(measurement => measurement.Met == false);
        output.WriteLine(missed == 0 ? "Every bar that was measured is met." : $"{missed} bars are missed.");
    }

    public void WriteJson(string file)
    {
        var document = new
        {
            Machine = machine.ToDictionary(),
            Measurements = _measurements,
            CouldNotBeMeasured = _failures,
        };
        File.WriteAllText(file, JsonSerializer.Serialize(document, Indented) + "\n");
    }

    private static string Verdict(Measurement measurement)
    {
        if (measurement.Bar is not { } bar)
            return "";

        string verdict = bar.IsMetBy(measurement.Value) ? "met" : "MISSED";
        return $"{verdict} ({(bar.AtLeast ? ">=" : "<=")} {Number(bar.Limit)}{(bar.Hard ? "" : ", soft")})";
    }

    private static string Number(double value) => Math.Abs(value) switch
    {
        >= 1000 => value.ToString("#,##0", CultureInfo.InvariantCulture),
        >= 100 => value.ToString("0.0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.0#", CultureInfo.InvariantCulture),
        _ => value.ToString("0.0##", CultureInfo.InvariantCulture),
    };
}
