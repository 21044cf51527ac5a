// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using EbpfLb.Bench.Comparison.Results;
using EbpfLb.Bench.Comparison.Rules;
using EbpfLb.Bench.Comparison.Services;
using EbpfLb.Bench.Comparison.Traffic;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Bench.Comparison;

/// <summary>From the smallest number of services to the largest.</summary>
internal sealed class ComparisonRun(ComparisonOptions options, Progress progress)
{
    private readonly Collected _collected = new();

    public Results.Comparison Run(CancellationToken stopping)
    {
        long start = Stopwatch.GetTimestamp();
        var environment = Describe(stopping);
        var absent = Mode.All
            .Select(mode => (Mode: mode, Reason: IptablesVariant.WhyNot(mode, options.IptablesRestore, stopping)))
            .Where(mode => mode.Reason is not null)
            .ToDictionary(mode => mode.Mode, mode => mode.Reason!);
        foreach (var (mode, reason) in absent)
            progress.Done($"{Reporting.Words.Name(mode)} is not measured: {PrintableText.Escape(reason)}");
        foreach (int services in options.ServiceCounts)
        {
            OmitWhatIsNotThere(services, absent);
            using var stage = new Stage(
                options, services, [.. Mode.All.Where(mode => !absent.ContainsKey(mode))], _collected, progress);
            stage.Run(stopping);
        }

        var method = new Method(
            options.Quick, options.Rounds, options.Seconds, Mode.All, options.ServiceCounts, ComparedCluster.EndpointsPerService,
            Stopwatch.GetElapsedTime(start).TotalSeconds, options.ProgrammingRounds, options.Xdp);
        return new Results.Comparison(
            Results.Comparison.CurrentSchema, environment, method, _collected.Series(), _collected.Distributions(), _collected.Omissions());
    }

    private IReadOnlyList<Fact> Describe(CancellationToken stopping)
    {
        using var node = ComparedNode.Create(stopping);
        return Surroundings.Describe(options, node, stopping);
    }

    private void OmitWhatIsNotThere(int services, IReadOnlyDictionary<string, string> absent)
    {
        foreach (var (mode, reason) in absent)
        {
            foreach (var measure in Measure.All)
                _collected.Omit(measure, mode, services, reason);
        }

        foreach (var measure in new[] { Measure.EndpointChange, Measure.Programming, Measure.KernelMemory, Measure.ProxyMemory })
            _collected.Omit(measure, Mode.Direct, services, "nothing is programmed");

        foreach (string mode in new[] { Mode.Iptables, Mode.IptablesLegacy, Mode.Nftables })
        {
            _collected.Omit(Measure.ProxyMemory, mode, services, "no kube-proxy runs here");
            if (!KernelMemory.IsTold)
                _collected.Omit(Measure.KernelMemory, mode, services, "there is no /proc/slabinfo here");
            else if (services < KernelMemory.LeastServices)
                _collected.Omit(Measure.KernelMemory, mode, services, "less than what /proc/slabinfo can tell apart");
        }

        if (options.CountsOfAllMeasures.Contains(services))
            return;

        string only = $"taken at {string.Join(" and ", options.CountsOfAllMeasures)} services only";
        foreach (var measure in TrafficMeasure.All.Where(measure => measure.Measure != Measure.PodToClusterIp))
        {
            foreach (string mode in Mode.All)
                _collected.Omit(measure.Measure, mode, services, only);
        }
    }
}
