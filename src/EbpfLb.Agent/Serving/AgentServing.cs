// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Agent.Health;
using EbpfLb.Agent.Metrics;
using EbpfLb.Datapath.Devices;
using EbpfLb.Datapath.Inspection;
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Status;
using EbpfLb.Datapath.Sync;
using EbpfLb.Linux.Bpf;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;
using Microsoft.Extensions.Logging;
using KernelDatapath = EbpfLb.Datapath.Loading.Datapath;

namespace EbpfLb.Agent.Serving;

/// <summary>All that is behind the agent's ports, put together.</summary>
/// <param name="Queued">For <see cref="ClusterStateWriter.Queued"/>.</param>
/// <param name="Observer">For the reconcile loop.</param>
/// <param name="Sweeps">For the sweep loop.</param>
/// <param name="Sockets">For the loop that ends dead sockets.</param>
/// <param name="Grown">For the growth of maps.</param>
/// <param name="Audits">For the audit loop.</param>
/// <param name="Loop">To be run as long as the agent runs.</param>
internal sealed record AgentServing(
    Action Queued, ReconcileObserver Observer, SweepMetrics Sweeps, DeadSocketMetrics Sockets,
    Action<IReadOnlyDictionary<string, uint>> Grown, AuditMetrics Audits, NodeEligibility Node, ServingLoop Loop)
{
    private static readonly TimeSpan CountersAge = TimeSpan.FromSeconds(1);

    /// <summary>Any thread may read it.</summary>
    public IReadOnlyList<Problem> Problems => [.. Node.Problems, .. Loop.Problems];

    /// <param name="warn">Records a Warning event on a Service, with reason and message. Null: nobody records.</param>
    /// <param name="lastContact">When the API server last said something. Null: there is none.</param>
    public static AgentServing Create(
        AgentOptions options, string version, ClusterStateWriter state, DesiredState desired, DatapathSync sync, KernelDatapath datapath,
        NodeNetwork network, ILoggerFactory loggers, Action<ObjectName, string, string>? warn = null,
        Func<DateTimeOffset?>? lastContact = null)
    {
        var time = TimeProvider.System;
        var startedAt = ProcessMetrics.StartedAt();
        var health = new SyncHealth(2 * options.Serving.SyncPeriod, time);
        var node = new NodeEligibility(options.NodeName, needsNode: options.Api is not null, loggers.CreateLogger<NodeEligibility>());

        var registry = new MetricRegistry();
        var objects = new ObjectMetrics(
            registry, version, datapath.Maps.Infos.Where(CanFill).Select(info => (info.Name, info.MaxEntries)));
        var runs = new SyncMetrics(registry, state, startedAt);
        var sweeps = new SweepMetrics(registry, objects);
        var audits = new AuditMetrics(registry);
        var healthMetrics = new HealthMetrics(registry);
        var counts = new DatapathMetrics(
            () => datapath.Use(() => CountersView.ReadReasons(datapath.Maps)), () => datapath.Use(() => CountersView.Read(datapath.Maps)),
            () => objects.Backends, CountersAge, time,
            loggers.CreateLogger<DatapathMetrics>());
        registry.Add(counts.Write);
        registry.Add(exposition => exposition.Gauge("ebpflb_devices", "Devices that hold our programs.", network.AttachedDevices));
        if (lastContact is not null)
        {
            registry.Add(exposition => exposition.Gauge(
                "ebpflb_api_last_contact_timestamp_seconds", "When the API server last said something; 0 before it did.",
                lastContact() is { } at ? (at - DateTimeOffset.UnixEpoch).TotalSeconds : 0));
        }

        registry.Add(exposition => ProcessMetrics.Write(exposition, startedAt));

        var limits = new ServingLimits();
        var server = new HttpServer(limits);
        bool isRestricted = options.Devices.NodePorts is { Primary: true } or { Prefixes.Count: > 0 };
        var healthChecks = new HealthCheckPorts(
            server, options.NodeName, () => isRestricted ? network.NodePortAddresses : null, () => health.Report().IsHealthy, warn,
            loggers.CreateLogger<HealthCheckPorts>());
        var ports = new List<ServedPort>();
        if (options.Serving.Healthz is { } healthz)
            ports.Add(new ServedPort("--healthz-bind-address", healthz, new HealthSite(health, node, healthMetrics).Get));
        if (options.Serving.Metrics is { } metrics)
        {
            var site = new MetricsSite(registry, EffectiveSettings.Of(options), version, startedAt, time);
            ports.Add(new ServedPort("--metrics-bind-address", metrics, site.Get));
        }

        return new AgentServing(
            () =>
            {
                health.Queued();
                runs.Queued(time.GetUtcNow());
            },
            new ReconcileObserver(health, node, healthChecks, runs, objects, desired, sync, time),
            sweeps,
            new DeadSocketMetrics(registry),
            objects.Grown,
            audits,
            node,
            new ServingLoop(
                server, ports, options.Serving.BindHardFail, healthChecks, limits, time, loggers.CreateLogger<ServingLoop>()));
    }

    private static bool CanFill(BpfMapInfo map) =>
        map.Type is BpfMapType.Hash or BpfMapType.LruHash or BpfMapType.LpmTrie || map.Name == MapNames.Slots;
}
