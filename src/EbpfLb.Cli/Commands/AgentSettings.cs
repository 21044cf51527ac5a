// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Agent;
using EbpfLb.Datapath.Loading;
using EbpfLb.LoadBalancing.Maglev;
using EbpfLb.LoadBalancing.Model;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Cli.Commands;

/// <summary>The agent's settings as they were typed; null where nothing was.</summary>
internal sealed partial record AgentSettings
{
    public const string LogLevelNames = "trace, debug, info, warning, error";

    public string? Manifests { get; init; }

    public string? NodeName { get; init; }

    public string? BpfFs { get; init; }

    public string? Cgroup { get; init; }

    public string? ProcSys { get; init; }

    public string? Bpftool { get; init; }

    public IReadOnlyList<string> MapSizes { get; init; } = [];

    public string? DefaultAlgorithm { get; init; }

    public string? MaglevTableSize { get; init; }

    public string? MaglevSeed { get; init; }

    public string? LogLevel { get; init; }

    /// <summary>What is returned is for use only if nothing is wrong.</summary>
    /// <param name="errors">Gets a sentence for everything that is.</param>
    public AgentOptions Bind(List<string> errors)
    {
        var warnings = new List<string>();
        var kubeProxy = KubeProxy.Bind(errors, warnings);
        var api = ParseApi(kubeProxy, errors);
        var options = new AgentOptions
        {
            // The root stands in for a source that is missing, so that the other settings are judged as well.
            Manifests = api is null ? Manifests ?? "/" : null,
            Api = api,
            NodeName = ParseNodeName(kubeProxy),
            ProcSys = ProcSys ?? "/proc/sys",
            Bpftool = Bpftool,
            DefaultAlgorithm = ParseAlgorithm(errors),
            LogLevel = ParseLogLevel(kubeProxy, errors),
            Maglev = new MaglevOptions { TableSize = ParseTableSize(errors), Seed = ParseSeed(errors) },
            Devices = ParseDevices(kubeProxy, errors, warnings),
            Flows = ParseFlows(errors),
            AllowNodeExternalIPs = AllowNodeExternalIPs,
            Datapath = new DatapathOptions
            {
                BpfFs = BpfFs,
                Cgroup = Cgroup,
                MapSizes = ParseMapSizes(errors),
                WithoutFeatures = ParseWithout(errors),
            },
            Serving = ServingOf(kubeProxy),
            ConntrackSysctls = SysctlsOf(kubeProxy, hasApi: api is not null),
            OomScoreAdj = kubeProxy.OomScoreAdj ?? (api is null ? null : DefaultOomScoreAdj),
            Warnings = warnings,
        };
        errors.AddRange(options.Validate());
        return options;
    }

    private Algorithm? ParseAlgorithm(List<string> errors)
    {
        switch (DefaultAlgorithm)
        {
            case null:
                return null;
            case "random":
                return Algorithm.Random;
            case "maglev":
                return Algorithm.Maglev;
            default:
                errors.Add($"--default-algorithm {DefaultAlgorithm}: there is no such algorithm. Use random or maglev.");
                return null;
        }
    }

    private LogLevel ParseLogLevel(List<string> errors)
    {
        switch (LogLevel)
        {
            case "trace":
                return Microsoft.Extensions.Logging.LogLevel.Trace;
            case "debug":
                return Microsoft.Extensions.Logging.LogLevel.Debug;
            case null or "info":
                return Microsoft.Extensions.Logging.LogLevel.Information;
            case "warning":
                return Microsoft.Extensions.Logging.LogLevel.Warning;
            case "error":
                return Microsoft.Extensions.Logging.LogLevel.Error;
            default:
                errors.Add($"--log-level {LogLevel}: there is no such level. Use one of {LogLevelNames}.");
                return default;
        }
    }

    private int ParseTableSize(List<string> errors)
    {
        if (MaglevTableSize is null)
            return 0;

        if (int.TryParse(MaglevTableSize, NumberStyles.None, CultureInfo.InvariantCulture, out int size)
            && (size == 0 || MaglevSize.IsAllowed(size)))
            return size;

        errors.Add($"--maglev-table-size {MaglevTableSize}: there is no such size of a table. Use one of {MaglevSize.AllowedText}, or 0.");
        return 0;
    }

    private EquatableArray<byte> ParseSeed(List<string> errors)
    {
        if (MaglevSeed is null)
            return MaglevOptions.DefaultSeed;

        try
        {
            byte[] seed = Convert.FromHexString(MaglevSeed);
            if (seed.Length == MaglevOptions.SeedLength)
                return seed.ToEquatableArray();
        }
        catch (FormatException)
        {
            // Told below, like a seed of another length.
        }

        errors.Add($"--maglev-seed {MaglevSeed}: a seed is {2 * MaglevOptions.SeedLength} hex digits, the same on all nodes.");
        return MaglevOptions.DefaultSeed;
    }

    private Dictionary<string, uint> ParseMapSizes(List<string> errors)
    {
        var sizes = new Dictionary<string, uint>();
        foreach (string text in MapSizes)
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || !uint.TryParse(text.AsSpan(equals + 1), NumberStyles.None, CultureInfo.InvariantCulture, out uint size))
                errors.Add($"--map-size {text}: write NAME=ENTRIES, such as services_v1=131072.");
            else if (!sizes.TryAdd(text[..equals], size))
                errors.Add($"--map-size {text}: this map is given a size twice.");
        }

        return sizes;
    }
}
