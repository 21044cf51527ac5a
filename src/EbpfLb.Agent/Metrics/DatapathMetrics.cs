// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Agent.Serving;
using EbpfLb.Datapath.Inspection;
using EbpfLb.Linux;
using EbpfLb.LoadBalancing.Model;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Agent.Metrics;

/// <summary>
/// What programs have counted, read from the maps when somebody asks: without a lock, so neither the reconcile loop nor the packets wait.
/// However many ask, the maps are read once in <paramref name="maxAge"/>.
/// </summary>
/// <param name="readReasons">Cheap: a fixed number of counts.</param>
/// <param name="readCounters">Goes through every backend.</param>
/// <param name="backends">How many there are now.</param>
internal sealed class DatapathMetrics(
    Func<IReadOnlyList<ReasonCount>> readReasons, Func<CountersView> readCounters, Func<int> backends, TimeSpan maxAge, TimeProvider time,
    ILogger<DatapathMetrics> logger)
{
    /// <summary>Beyond either, services have no series: five series each would be more than a node's metrics should weigh.</summary>
    public const int MaxServices = 1_000;

    public const int MaxBackends = 20_000;

    private static readonly (string Name, string Help, Func<ServiceCounters, ulong> Value)[] PerService =
    [
        ("ebpflb_service_connections_total", "Flows that were given a backend.", counters => counters.Counters.Connections),
        ("ebpflb_service_packets_in_total", "Packets from clients.", counters => counters.Counters.PacketsIn),
        ("ebpflb_service_bytes_in_total", "Bytes from clients.", counters => counters.Counters.BytesIn),
        ("ebpflb_service_packets_out_total", "Packets to clients.", counters => counters.Counters.PacketsOut),
        ("ebpflb_service_bytes_out_total", "Bytes to clients.", counters => counters.Counters.BytesOut),
    ];

    private readonly Lock _gate = new();
    private Reading? _last;
    private long _readAt;
    private bool _failed;

    public void Write(Exposition exposition)
    {
        if (Read() is not { } reading)
            return;

        WriteReasons(
            exposition, "ebpflb_packets_total", "Packets that had another fate than to be translated by their flow.", reading,
            count => count.Packets);
        WriteReasons(exposition, "ebpflb_bytes_total", "Bytes of these packets.", reading, count => count.Bytes);
        exposition.Gauge(
            "ebpflb_service_series_omitted", "1 when there are too many services or backends for series of each service.",
            reading.Services is null ? 1 : 0);
        if (reading.Services is not { Count: > 0 } services)
            return;

        for (int kind = 0; kind < PerService.Length; kind++)
        {
            var (name, help, _) = PerService[kind];
            exposition.Family(name, "counter", help);
            foreach (var (labels, values) in services)
                exposition.Sample(name, labels, values[kind]);
        }
    }

    private static void WriteReasons(Exposition exposition, string name, string help, Reading reading, Func<ReasonCount, ulong> value)
    {
        exposition.Family(name, "counter", help);
        foreach (var count in reading.Reasons)
        {
            exposition.Sample(
                name, Exposition.Labels(["hook", "reason"], [ReasonText.Name(count.Hook), ReasonText.Name(count.Reason)]), value(count));
        }
    }

    private static string LabelsOf(ServiceCounters service) => Exposition.Labels(
        ["service", "protocol", "ip_family"],
        [service.ServiceName, service.Protocol?.ToApiName() ?? "", service.Family?.ToString() ?? ""]);

    private Reading? Read()
    {
        lock (_gate)
        {
            if (_last is not null && time.GetElapsedTime(_readAt) < maxAge)
                return _last;

            try
            {
                _last = new Reading(readReasons(), ReadServices());
                _failed = false;
            }
            catch (LinuxException exception)
            {
                _last = null;
                if (!_failed)
                    logger.DatapathNotRead(exception.Message);
                _failed = true;
            }

            _readAt = time.GetTimestamp();
            return _last;
        }
    }

    private SortedDictionary<string, ulong[]>? ReadServices()
    {
        if (backends() > MaxBackends)
            return null;

        var series = new SortedDictionary<string, ulong[]>(StringComparer.Ordinal);
        // Of services that are gone the maps have no name any more.
        foreach (var service in readCounters().Services.Where(service => service.ServiceName.Length > 0))
        {
            // Names that were cut to fit into the map may be alike.
            string labels = LabelsOf(service);
            if (!series.TryGetValue(labels, out ulong[]? values))
                series[labels] = values = new ulong[PerService.Length];
            for (int kind = 0; kind < values.Length; kind++)
                values[kind] += PerService[kind].Value(service);
        }

        return series.Count > MaxServices ? null : series;
    }

    private sealed record Reading(IReadOnlyList<ReasonCount> Reasons, SortedDictionary<string, ulong[]>? Services);
}
