// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;

namespace EbpfLb.Bench.Comparison;

internal sealed record ComparisonOptions
{
    public const string Verb = "--compare";

    public const string Usage =
        """
        usage: EbpfLb.Bench --compare [OPTIONS]        (as root)

          --quick                  fewer services and rounds, shorter turns: under two minutes
          --smoke                  one short round, to see that all of it works; its figures mean nothing
          --services N,N,...       how many there are (1,100,1000,10000)
          --rounds N               in which every mode has its turn (5)
          --seconds S              of a turn, decimal (0.5)
          --agent FILE             the executable (artifacts/ebpflb, or else the Cli build output)
          --programming-rounds N   in which all services are programmed anew (3)
          --xdp MODE               of the agent: auto, native, generic or off (auto)
          --iptables-restore FILE  of the nf_tables variant (iptables-restore); the legacy one is measured beside it
          --output DIR             (artifacts/bench/compare)

        Exit status: 0 measured, 1 not, 2 wrong usage.
        """;

    private const int MaxServices = 20_000;

    public required string Agent { get; init; }

    /// <summary>As the agent's option.</summary>
    public string Xdp { get; init; } = "auto";

    /// <summary>Of the nf_tables variant.</summary>
    public string IptablesRestore { get; init; } = "iptables-restore";

    public string Output { get; init; } = Path.Combine(BenchOptions.RepositoryRoot, "artifacts/bench/compare");

    /// <summary>Ascending.</summary>
    public IReadOnlyList<int> ServiceCounts { get; init; } = [1, 100, 1000, 10_000];

    public int Rounds { get; init; } = 5;

    /// <summary>Of programming all services anew.</summary>
    public int ProgrammingRounds { get; init; } = 3;

    public double Seconds { get; init; } = 0.5;

    public bool Quick { get; init; }

    public bool Help { get; init; }

    /// <summary>Where measures are taken that are not taken at every count.</summary>
    public IReadOnlyList<int> CountsOfAllMeasures =>
        Quick ? [ServiceCounts[^1]] : [.. new[] { ServiceCounts[0], ServiceCounts[^1] }.Distinct()];

    /// <param name="args">Without the verb.</param>
    public static ComparisonOptions Parse(IReadOnlyList<string> args)
    {
        var options = new ComparisonOptions { Agent = "" };
        for (int i = 0; i < args.Count; i++)
        {
            string name = args[i];
            string Value() => ++i < args.Count ? args[i] : throw new BenchException($"{name} needs a value");
            options = name switch
            {
                "--quick" => options with { Quick = true, ServiceCounts = [1, 1000], Rounds = 3, Seconds = 0.25 },
                "--smoke" => options with { Quick = true, ServiceCounts = [1, 50], Rounds = 1, ProgrammingRounds = 1, Seconds = 0.1 },
                "--services" => options with { ServiceCounts = Counts(name, Value()) },
                "--rounds" => options with { Rounds = Number(name, Value(), 1000) },
                "--seconds" => options with { Seconds = Decimal(name, Value()) },
                "--programming-rounds" => options with { ProgrammingRounds = Number(name, Value(), 100) },
                "--agent" => options with { Agent = Value() },
                "--xdp" => options with { Xdp = Value() },
                "--iptables-restore" => options with { IptablesRestore = Value() },
                "--output" => options with { Output = Path.GetFullPath(Value()) },
                "--help" or "-h" => options with { Help = true },
                _ => throw new BenchException($"unknown option {name}"),
            };
        }

        return options.Help ? options : options with { Agent = BenchOptions.FindAgent(options.Agent) };
    }

    /// <summary>Why nothing can be measured here; null if something can.</summary>
    public static string? WhyNot()
    {
        if (!Environment.IsPrivilegedProcess)
            return "the comparison makes namespaces, cgroups, rules and BPF maps: run it as root";
        foreach (var (file, target) in new[]
        {
            (BenchOptions.LoadGenerator, "make -C tools/loadgen"), (BenchOptions.PassProgram, "make -C tools/demo"),
            (BenchOptions.FakeApi, "make build"),
        })
        {
            if (!File.Exists(file))
                return $"{file} does not exist: {target} builds it";
        }

        return null;
    }

    private static int[] Counts(string name, string text) =>
        [.. text.Split(',').Select(count => Number(name, count, MaxServices)).Distinct().Order()];

    private static int Number(string name, string text, int max) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0 && number <= max
            ? number
            : throw new BenchException($"{name} needs numbers from 1 to {max}, not '{text}'");

    private static double Decimal(string name, string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) && number is > 0 and <= 60
            ? number
            : throw new BenchException($"{name} needs a number up to 60, not '{text}'");
}
