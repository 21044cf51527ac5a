// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Agent.Metrics;
using EbpfLb.Agent.Tests.Support;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Inspection;
using EbpfLb.Linux;
using EbpfLb.LoadBalancing.Model;
using Microsoft.Extensions.Logging.Abstractions;

namespace EbpfLb.Agent.Tests.Metrics;

public sealed class DatapathMetricsTests
{
    private readonly ManualTime _time = new();
    private readonly MetricRegistry _registry = new();
    private readonly List<ServiceCounters> _services = [];
    private int _backends = 1;
    private int _reads;
    private bool _fails;

    public DatapathMetricsTests() => _registry.Add(new DatapathMetrics(
        () => _fails ? throw new LinuxException("bpf", Errno.EPERM) : [new ReasonCount(Hook.TcIngress, Reason.NoLocalEndpoint, 7, 420)],
        () =>
        {
            _reads++;
            return new CountersView([], _services, []);
        },
        () => _backends, TimeSpan.FromSeconds(1), _time, NullLogger<DatapathMetrics>.Instance).Write);

    private ParsedMetrics Metrics => ParsedMetrics.Parse(_registry.Write());

    [Fact]
    public void Packets_are_told_by_hook_and_reason_and_services_by_port()
    {
        Add(1, "default/web:http", Protocol.Tcp);
        Add(2, "default/dns", Protocol.Udp);
        var metrics = Metrics;
        Assert.Equal(7, metrics["ebpflb_packets_total", ("hook", "tc_ingress"), ("reason", "no_local_endpoint")]);
        Assert.Equal(420, metrics["ebpflb_bytes_total", ("hook", "tc_ingress"), ("reason", "no_local_endpoint")]);
        (string, string)[] web = [("service", "default/web:http"), ("protocol", "TCP"), ("ip_family", "IPv4")];
        Assert.Equal(1, metrics["ebpflb_service_connections_total", web]);
        Assert.Equal(5, metrics["ebpflb_service_bytes_out_total", web]);
        Assert.Equal(0, metrics["ebpflb_service_series_omitted"]);
    }

    [Fact]
    public void Services_that_are_gone_have_no_series_and_names_that_look_alike_have_one()
    {
        Add(1, "", null);
        Add(2, "default/web", Protocol.Tcp);
        Add(3, "default/web", Protocol.Tcp);
        var metrics = Metrics;
        (string, string)[] web = [("service", "default/web"), ("protocol", "TCP"), ("ip_family", "IPv4")];
        Assert.Equal(2, metrics["ebpflb_service_connections_total", web]);
        Assert.Equal(8, metrics.Series.Count);
    }

    [Fact]
    public void Maps_are_read_once_however_many_ask()
    {
        for (int i = 0; i < 10; i++)
            _ = Metrics;
        Assert.Equal(1, _reads);
        _time.Advance(TimeSpan.FromSeconds(1));
        _ = Metrics;
        Assert.Equal(2, _reads);
    }

    [Fact]
    public void S197_Too_many_services_or_backends_have_no_series()
    {
        for (uint id = 1; id <= DatapathMetrics.MaxServices + 1; id++)
            Add(id, $"default/web{id}", Protocol.Tcp);
        var metrics = Metrics;
        Assert.Equal(1, metrics["ebpflb_service_series_omitted"]);
        Assert.Equal(3, metrics.Series.Count);

        _time.Advance(TimeSpan.FromSeconds(1));
        _services.RemoveAt(0);
        Assert.Equal(0, Metrics["ebpflb_service_series_omitted"]);

        _time.Advance(TimeSpan.FromSeconds(1));
        _backends = DatapathMetrics.MaxBackends + 1;
        int before = _reads;
        Assert.Equal(1, Metrics["ebpflb_service_series_omitted"]);
        Assert.Equal(before, _reads);
    }

    [Fact]
    public void Maps_that_cannot_be_read_leave_the_rest_of_the_page_as_it_is()
    {
        _registry.Gauge("ebpflb_rest", "What is not in maps.");
        _fails = true;
        Assert.Equal(["ebpflb_rest"], Metrics.Series);
        _time.Advance(TimeSpan.FromSeconds(1));
        _fails = false;
        Assert.Equal(4, Metrics.Series.Count);
    }

    private void Add(uint id, string name, Protocol? protocol) => _services.Add(new ServiceCounters(
        id, name, protocol, protocol is null ? null : AddressFamily.IPv4,
        new CountersValue { Connections = 1, PacketsIn = 2, BytesIn = 3, PacketsOut = 4, BytesOut = 5 }));
}
