// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Reflection;

namespace EbpfLb.Bench;

internal sealed record BenchOptions
{
    public const string Usage =
        """
        usage: EbpfLb.Bench [OPTIONS]        (as root)
               EbpfLb.Bench --compare [OPTIONS]        with iptables and nftables: --compare --help

          --only PART,...     of connect, sync, start, agent, large-files, api, api-million, api-churn (all of these)
                              and packets, program, flood, tcp, follow, sweep (all of these with --packets)
          --packets           the packet path
          --agent FILE        the executable to measure (artifacts/ebpflb, or else the Cli build output)
          --services N        (10000)
          --endpoints N       per service (10)
          --changes N         timed changes of one endpoint (200)
          --api-changes N     the same of one slice, by an API server (600)
          --api-runs N        starts of the agent with an API server (5)
          --churn-seconds N   of a hundred changes each (60)
          --rounds N          of a connection benchmark, a second for each contestant (15)
          --packet-rounds N   in which every contestant has its turn (5)
          --seconds S         of a turn, decimal (1.5)
          --quick             less of everything, for a first look
          --settle SECONDS    from the first sync to the memory reading (10)
          --json FILE         the results for machines
          --check             exit with 1 if a bar marked hard is missed

        Exit status: 0 measured, 1 something could not be measured (or --check failed), 2 wrong usage.
        """;

    public const string ConnectPart = "connect";
    public const string SyncPart = "sync";
    public const string StartPart = "start";
    public const string AgentPart = "agent";
    public const string LargeFilesPart = "large-files";

    public const string ApiPart = "api";
    public const string ApiMillionPart = "api-million";
    public const string ApiChurnPart = "api-churn";

    public const string PacketsPart = "packets";
    public const string ProgramPart = "program";
    public const string FloodPart = "flood";
    public const string TcpPart = "tcp";
    public const string FollowPart = "follow";
    public const string SweepPart = "sweep";

    private static readonly string[] AgentParts =
        [ConnectPart, SyncPart, StartPart, AgentPart, LargeFilesPart, ApiPart, ApiMillionPart, ApiChurnPart];
    private static readonly string[] PacketParts = [PacketsPart, ProgramPart, FloodPart, TcpPart, FollowPart, SweepPart];

    private static readonly string[] ApiParts = [ApiPart, ApiMillionPart, ApiChurnPart];

    private const int LargeFiles = 10;

    // What the maps hold by default bounds the size: 65536 services, 262144 backends.
    private const int MaxServices = 60_000;
    private const int MaxBackends = 250_000;

    public IReadOnlyList<string> Parts { get; init; } = AgentParts;

    /// <summary>For the shape with few large files.</summary>
    public int ServicesOfLargeFile => (Services + LargeFiles - 1) / LargeFiles;

    public required string Agent { get; init; }

    public int Services { get; init; } = 10_000;

    public int Endpoints { get; init; } = 10;

    public int Changes { get; init; } = 200;

    public int ApiChanges { get; init; } = 600;

    public int ApiRuns { get; init; } = 5;

    public int ChurnSeconds { get; init; } = 60;

    public int Rounds { get; init; } = 15;

    public int PacketRounds { get; init; } = 5;

    public double Seconds { get; init; } = 1.5;

    /// <summary>Of each kind, that the way to a backend changes.</summary>
    public int Moves { get; init; } = 20;

    public int Sweeps { get; init; } = 5;

    /// <summary>Of the three there are.</summary>
    public int Floods { get; init; } = 3;

    /// <summary>For the packet path; the first is what the others are compared with.</summary>
    public IReadOnlyList<int> ServiceCounts { get; init; } = [1, 1000, 10_000];

    public int SettleSeconds { get; init; } = 10;

    public string? Json { get; init; }

    public bool Check { get; init; }

    public bool Help { get; init; }

    public static string RepositoryRoot => Metadata("RepositoryRoot");

    public static string Probe => Path.Combine(RepositoryRoot, "artifacts/tools/lbprobe");

    public static string LoadGenerator => Path.Combine(RepositoryRoot, "artifacts/tools/loadgen");

    /// <summary>XDP that lets everything pass.</summary>
    public static string PassProgram => Path.Combine(RepositoryRoot, "artifacts/tools/pass.bpf.o");

    public static string FakeApi => Path.Combine(
        RepositoryRoot, "tools/EbpfLb.FakeApi/bin", Metadata("Configuration"), "net10.0/EbpfLb.FakeApi.dll");

    public static string Playground => Path.Combine(RepositoryRoot, "tools/playground/cluster.sh");

    public static string PacketTool => Path.Combine(RepositoryRoot, "artifacts/tools/xdpbench");

    public static string PairScript => Path.Combine(RepositoryRoot, "tools/xdpbench/pair.sh");

    public static BenchOptions Parse(IReadOnlyList<string> args)
    {
        var options = new BenchOptions { Agent = "" };
        for (int i = 0; i < args.Count; i++)
        {
            string name = args[i];
            string Value() => ++i < args.Count ? args[i] : throw new BenchException($"{name} needs a value");
            options = name switch
            {
                "--only" => options with { Parts = ParseParts(Value()) },
                "--agent" => options with { Agent = Value() },
                "--services" => options with { Services = Number(name, Value(), MaxServices) },
                "--endpoints" => options with { Endpoints = Number(name, Value(), 100) },
                "--changes" => options with { Changes = Number(name, Value(), 100_000) },
                "--api-changes" => options with { ApiChanges = Number(name, Value(), 100_000) },
                "--api-runs" => options with { ApiRuns = Number(name, Value(), 1000) },
                "--churn-seconds" => options with { ChurnSeconds = Number(name, Value(), 24 * 3600) },
                "--rounds" => options with { Rounds = Number(name, Value(), 10_000) },
                "--packets" => options with { Parts = PacketParts },
                "--packet-rounds" => options with { PacketRounds = Number(name, Value(), 1000) },
                "--seconds" => options with { Seconds = Decimal(name, Value()) },
                "--quick" => options with
                {
                    PacketRounds = 2,
                    Seconds = 0.3,
                    ServiceCounts = [],
                    Floods = 1,
                    Moves = 5,
                    Sweeps = 1,
                    Rounds = 5,
                    Changes = 50,
                    SettleSeconds = 3,
                    ApiChanges = 200,
                    ApiRuns = 2,
                    ChurnSeconds = 20,
                },
                "--settle" => options with { SettleSeconds = Number(name, Value(), 3600) },
                "--json" => options with { Json = Value() },
                "--check" => options with { Check = true },
                "--help" or "-h" => options with { Help = true },
                _ => throw new BenchException($"unknown option {name}"),
            };
        }

        if ((long)options.Services * options.Endpoints > MaxBackends)
            throw new BenchException($"more than {MaxBackends} endpoints do not fit in maps of the default sizes");
        bool needsAgent = !options.Help && options.Parts.Any(part => AgentParts.Contains(part) || part == FollowPart);
        return needsAgent ? options with { Agent = FindAgent(options.Agent) } : options;
    }

    /// <summary>Why nothing can be measured here; null if something can.</summary>
    public string? WhyNot()
    {
        if (!Environment.IsPrivilegedProcess)
            return "EbpfLb.Bench makes namespaces, cgroups and BPF maps: run it as root";
        if ((Parts.Contains(ConnectPart) || Parts.Contains(TcpPart) || Parts.Contains(FollowPart)) && !File.Exists(Probe))
            return $"{Probe} does not exist: make probe builds it";
        if (Parts.Any(PacketParts.Contains) && !File.Exists(PacketTool))
            return $"{PacketTool} does not exist: make -C tools/xdpbench builds it";
        return WhyNotApi();
    }

    private string? WhyNotApi() => Parts.Any(ApiParts.Contains) && !File.Exists(FakeApi)
        ? $"{FakeApi} does not exist: make build builds it"
        : null;

    private static string[] ParseParts(string text)
    {
        string[] parts = text.Split(',');
        foreach (string part in parts)
        {
            if (!AgentParts.Contains(part) && !PacketParts.Contains(part))
                throw new BenchException($"--only {part}: the parts are {string.Join(", ", AgentParts.Concat(PacketParts))}");
        }

        return parts;
    }

    private static int Number(string name, string text, int max) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0 && number <= max
            ? number
            : throw new BenchException($"{name} needs a number from 1 to {max}, not '{text}'");

    private static double Decimal(string name, string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) && number is > 0 and <= 60
            ? number
            : throw new BenchException($"{name} needs a number up to 60, not '{text}'");

    public static string FindAgent(string named)
    {
        string[] candidates = named.Length > 0
            ? [Path.GetFullPath(named)]
            :
            [
                Path.Combine(RepositoryRoot, "artifacts/ebpflb"),
                Path.Combine(RepositoryRoot, "src/EbpfLb.Cli/bin", Metadata("Configuration"), "net10.0/ebpflb"),
            ];
        return candidates.FirstOrDefault(File.Exists)
            ?? throw new BenchException($"no agent at {string.Join(" or ", candidates)}: make publish leaves one");
    }

    private static string Metadata(string key) =>
        typeof(BenchOptions).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;
}
