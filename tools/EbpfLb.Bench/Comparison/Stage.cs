// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using System.Globalization;
using EbpfLb.Bench.Comparison.Modes;
using EbpfLb.Bench.Comparison.Results;
using EbpfLb.Bench.Comparison.Rules;
using EbpfLb.Bench.Comparison.Services;
using EbpfLb.Bench.Comparison.Traffic;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Bench.Comparison;

/// <summary>All measures of all modes at one number of services.</summary>
/// <param name="names">Of the modes that can be measured here.</param>
internal sealed class Stage(
    ComparisonOptions options, int services, IReadOnlyList<string> names, Collected collected, Progress progress) : IDisposable
{
    // Neighbours are learnt and devices get their programs meanwhile.
    private static readonly TimeSpan MostSettling = TimeSpan.FromSeconds(5);
    private const double LookSeconds = 0.02;

    private readonly List<ServiceMode> _modes = [];
    private readonly ComparedCluster _cluster = new(services);

    private string Services => services.ToString("#,##0", CultureInfo.InvariantCulture) + (services == 1 ? " service" : " services");

    public void Run(CancellationToken stopping)
    {
        foreach (string mode in names)
            Try(mode, () => _modes.Add(Create(mode, stopping)), stopping);
        MeasureProgramming(stopping);
        Settle(stopping);
        MeasureTraffic(stopping);
        MeasureChanges(stopping);
        progress.Done($"{Services}: {Describe(Measure.PodToClusterIp)}");
    }

    public void Dispose() => Dispose(0);

    // What one leaves behind keeps no other from being removed.
    private void Dispose(int index)
    {
        if (index == _modes.Count)
            return;

        try
        {
            _modes[index].Dispose();
        }
        finally
        {
            Dispose(index + 1);
        }
    }

    // Another mode is first in each round: whoever is first has what the machine still does for the one before.
    private ServiceMode[] InTurn(int round) =>
        [.. _modes.Select((_, index) => _modes[(index + round) % _modes.Count])];

    private ServiceMode Create(string mode, CancellationToken stopping)
    {
        progress.Now($"{Services}: a node for {mode}");
        var node = ComparedNode.Create(stopping);
        return mode switch
        {
            Mode.Direct => new DirectMode(node),
            Mode.Iptables => new IptablesMode(mode, node, options.IptablesRestore),
            Mode.IptablesLegacy => new IptablesMode(mode, node, IptablesVariant.LegacyRestore),
            Mode.Nftables => new NftablesMode(node),
            Mode.Ebpf => new EbpfMode(node, options.Agent, options.Xdp),
            _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, null),
        };
    }

    private void MeasureProgramming(CancellationToken stopping)
    {
        for (int round = 0; round < options.ProgrammingRounds; round++)
        {
            foreach (var mode in InTurn(round).Where(mode => mode.Name != Mode.Direct))
            {
                progress.Now($"{Services}: programming, round {round + 1} of {options.ProgrammingRounds}: {mode.Name}");
                Try(mode.Name, () => Program(mode, isFirst: round == 0, stopping), stopping);
            }
        }
    }

    private void Program(ServiceMode mode, bool isFirst, CancellationToken stopping)
    {
        if (!isFirst)
            mode.Clear();
        bool isWeighed = mode.Name != Mode.Ebpf && services >= KernelMemory.LeastServices && KernelMemory.IsTold;
        double before = isWeighed ? KernelMemory.SettledMB(stopping) : 0;
        collected.Add(Measure.Programming, mode.Name, services, mode.Program(_cluster, stopping));
        if (isWeighed)
            collected.Add(Measure.KernelMemory, mode.Name, services, KernelMemory.SettledMB(stopping) - before);
        else if (mode.MapMB is { } maps)
            collected.Add(Measure.KernelMemory, mode.Name, services, maps);
    }

    // The first packets of a node are not like the others; and what does not work at all is found here.
    private void Settle(CancellationToken stopping)
    {
        foreach (var mode in _modes)
        {
            foreach (var measure in Taken())
            {
                long start = Stopwatch.GetTimestamp();
                Load load;
                do
                {
                    progress.Now($"{Services}: first packets: {mode.Name}, {measure.Measure.Id}");
                    load = LoadGenerator.Run(measure, mode.Name, mode.Node, LookSeconds, stopping);
                }
                while (!load.IsGood && Stopwatch.GetElapsedTime(start) < MostSettling);

                if (!load.IsUsable)
                    Omit(measure, mode.Name, load.WhyNot);
            }
        }
    }

    private IEnumerable<TrafficMeasure> Taken() => TrafficMeasure.All.Where(
        measure => measure.Measure == Measure.PodToClusterIp || options.CountsOfAllMeasures.Contains(services));

    private void MeasureTraffic(CancellationToken stopping)
    {
        for (int round = 0; round < options.Rounds; round++)
        {
            foreach (var measure in Taken())
            {
                foreach (var mode in InTurn(round))
                {
                    progress.Now($"{Services}: round {round + 1} of {options.Rounds}: {measure.Measure.Id}, {mode.Name}");
                    TakeTurn(measure, mode, stopping);
                }
            }

            foreach (var mode in _modes)
            {
                if (mode.ProcessMB is { } megabytes)
                    collected.Add(Measure.ProxyMemory, mode.Name, services, megabytes);
            }
        }
    }

    private void TakeTurn(TrafficMeasure measure, ServiceMode mode, CancellationToken stopping)
    {
        if (collected.IsOmitted(measure.Measure, mode.Name, services))
            return;

        var load = LoadGenerator.Run(measure, mode.Name, mode.Node, options.Seconds, stopping);
        if (!load.IsGood)
            load = LoadGenerator.Run(measure, mode.Name, mode.Node, options.Seconds, stopping);
        if (!load.IsUsable)
        {
            Omit(measure, mode.Name, load.WhyNot);
            return;
        }

        collected.AddTurn(measure.Measure, mode.Name, services, load.PerSecond * measure.Scale, load.Failures, load.OwnShare);
        if (measure.HasLatencies)
            collected.AddDurations(measure.Measure, mode.Name, services, load.Buckets);
        if (measure.Measure == Measure.PodToClusterIp)
            collected.Add(Measure.CpuSeconds, mode.Name, services, load.BusySeconds * 100_000 / load.Operations);
    }

    private void MeasureChanges(CancellationToken stopping)
    {
        var before = _cluster;
        for (int round = 0; round < options.Rounds; round++)
        {
            var after = before with { HasMoved = !before.HasMoved };
            foreach (var mode in InTurn(round).Where(mode => mode.Name != Mode.Direct))
            {
                progress.Now($"{Services}: an endpoint changes, round {round + 1} of {options.Rounds}: {mode.Name}");
                Try(mode.Name, () => collected.Add(Measure.EndpointChange, mode.Name, services, LoadGenerator.TimeToBackend(
                    mode.Node, after.HasMoved ? ComparedNode.SecondPlace : ComparedNode.FirstPlace,
                    () => mode.Move(before, after, stopping), stopping)), stopping);
            }

            before = after;
        }
    }

    private void Omit(TrafficMeasure measure, string mode, string reason)
    {
        collected.Omit(measure.Measure, mode, services, reason);
        if (measure.Measure == Measure.PodToClusterIp)
            collected.Omit(Measure.CpuSeconds, mode, services, reason);
    }

    // What one mode cannot do takes nothing from the others.
    private void Try(string mode, Action action, CancellationToken stopping)
    {
        try
        {
            action();
        }
        catch (BenchException exception) when (!stopping.IsCancellationRequested)
        {
            progress.Done($"{Services}: {mode} failed: {PrintableText.Escape(exception.Message)}");
            foreach (var measure in Measure.All.Where(measure => collected.Median(measure, mode, services) is null))
                collected.Omit(measure, mode, services, exception.Message);
            foreach (var failed in _modes.Where(other => other.Name == mode).ToArray())
            {
                _modes.Remove(failed);
                failed.Dispose();
            }
        }
    }

    private string Describe(Measure measure)
    {
        var figures = Mode.All
            .Select(mode => (Mode: mode, Median: collected.Median(measure, mode, services)))
            .Where(figure => figure.Median is not null)
            .Select(figure => string.Create(CultureInfo.InvariantCulture, $"{figure.Mode} {figure.Median:#,##0}"));
        return $"{measure.Title}: {string.Join(", ", figures)} {measure.Unit}";
    }
}
