// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text;
using EbpfLb.Bench.Measuring;
using EbpfLb.Bench.Processes;
using EbpfLb.Bench.Workload;

namespace EbpfLb.Bench;

/// <summary>New TCP connections through a ClusterIP against connections straight to the pod behind it.</summary>
internal sealed class ConnectCost(BenchOptions options, Report report)
{
    private const int WarmUpSeconds = 2;
    private const double MostCost = 0.03;

    // Another network than that of the crowd.
    private static readonly (string Address, int Port) Frontend = ("10.97.0.1", Cluster.Port);
    private static readonly (string Address, int Port) Pod = (Sandbox.ServerAddress, Cluster.TargetPort);

    private sealed class Rounds
    {
        public List<Traffic.Pair> Pairs { get; } = [];

        public List<Traffic.Pair> Floor { get; } = [];

        public List<Traffic.Pair> Apart { get; } = [];
    }

    public void Run(CancellationToken stopping)
    {
        foreach (int services in new[] { 1, options.Services }.Distinct())
            RunWith(services, stopping);
    }

    private void RunWith(int services, CancellationToken stopping)
    {
        using var sandbox = Sandbox.Create();
        using var files = ManifestFiles.Write(new Cluster(services - 1, options.Endpoints), perFile: 1000);
        files.Add("target.yaml", Target());
        using var agent = new AgentProcess(options.Agent, sandbox, sandbox.NewBpfFs("connect"), ["--manifests", files.Directory]);
        using var traffic = new Traffic(sandbox);
        traffic.WaitForServer(stopping);
        agent.WaitForFirstSync(stopping);

        traffic.Compare(sandbox.FirstCgroup, Frontend, Pod, WarmUpSeconds);
        var rounds = new Rounds();
        for (int round = 0; round < options.Rounds; round++)
        {
            stopping.ThrowIfCancellationRequested();
            rounds.Pairs.Add(traffic.Compare(sandbox.FirstCgroup, Frontend, Pod, 1));
            rounds.Floor.Add(traffic.Compare(sandbox.FirstCgroup, Pod, Pod, 1));
            // Whoever goes first changes, so that a drift of the machine favours neither.
            rounds.Apart.Add(round % 2 == 0
                ? new Traffic.Pair(traffic.Measure(sandbox.FirstCgroup, Frontend, 1), traffic.Measure(sandbox.SecondCgroup, Pod, 1))
                : Swapped(traffic.Measure(sandbox.SecondCgroup, Pod, 1), traffic.Measure(sandbox.FirstCgroup, Frontend, 1)));
        }

        Tell($"connect, {services.ToString("#,##0", CultureInfo.InvariantCulture)} service{(services == 1 ? "" : "s")}", rounds);
    }

    private static Traffic.Pair Swapped(Traffic.Series pod, Traffic.Series frontend) => new(frontend, pod);

    private void Tell(string part, Rounds rounds)
    {
        const string Paired = "one process, a connection to each in turn; median of the rounds";
        const string Floor = "the same with the pod on both sides: what this machine cannot tell apart";
        const string Apart = "pod dialled from a cgroup without any program; processes alternate by the second";
        const string Rate = "connection rate, frontend / pod";
        const string Median = "rate of the median connection, frontend / pod";
        const string Connect = "connect() p50, frontend / pod";
        const string NoFloor = ": noise floor";
        const string NoPrograms = " without programs";

        // One preempted connection weighs as much as hundreds of others, so on a busy machine this one tells of luck; the median does not.
        Ratio(Rate, rounds.Pairs, pair => pair.First.PerSecond / pair.Second.PerSecond, Paired, Bar.Least(1 - MostCost));
        Ratio(Rate + NoFloor, rounds.Floor, pair => pair.First.PerSecond / pair.Second.PerSecond, Floor);
        Ratio(Median, rounds.Pairs, pair => pair.Second.WholeP50Us / pair.First.WholeP50Us, Paired, Bar.Least(1 - MostCost));
        Ratio(Median + NoFloor, rounds.Floor, pair => pair.Second.WholeP50Us / pair.First.WholeP50Us, Floor);
        Ratio(Connect, rounds.Pairs, pair => pair.First.ConnectP50Us / pair.Second.ConnectP50Us, Paired, Bar.Most(1 + MostCost) with { Hard = false });
        Ratio(Connect + NoFloor, rounds.Floor, pair => pair.First.ConnectP50Us / pair.Second.ConnectP50Us, Floor);
        Ratio(Rate + NoPrograms, rounds.Apart, pair => pair.First.PerSecond / pair.Second.PerSecond, Apart);
        Ratio(Median + NoPrograms, rounds.Apart, pair => pair.Second.WholeP50Us / pair.First.WholeP50Us, Apart,
            Bar.Least(1 - MostCost) with { Hard = false });
        Ratio(Connect + NoPrograms, rounds.Apart, pair => pair.First.ConnectP50Us / pair.Second.ConnectP50Us, Apart,
            Bar.Most(1 + MostCost) with { Hard = false });

        Figure("connect() p50, frontend - pod", rounds.Pairs, pair => pair.First.ConnectP50Us - pair.Second.ConnectP50Us, "us", Paired);
        Figure("connect() p50, pod", rounds.Pairs, pair => pair.Second.ConnectP50Us, "us", Paired);
        Figure("frontend", rounds.Pairs, pair => pair.First.PerSecond, "conn/s", "one client; dial, first byte, reset; own time only");
        Figure("pod", rounds.Pairs, pair => pair.Second.PerSecond, "conn/s", "one client; dial, first byte, reset; own time only");

        void Ratio(string name, List<Traffic.Pair> pairs, Func<Traffic.Pair, double> value, string method, Bar? bar = null) =>
            Figure(name, pairs, value, "", method, bar);

        void Figure(string name, List<Traffic.Pair> pairs, Func<Traffic.Pair, double> value, string unit, string method, Bar? bar = null) =>
            report.Add(Measurement.Median(part, name, new Sample(pairs.Select(value)), unit, method, bar));
    }

    private static string Target() => new StringBuilder().Append(CultureInfo.InvariantCulture,
        $$"""
        apiVersion: v1
        kind: Service
        metadata:
          name: target
          namespace: {{Cluster.Namespace}}
        spec:
          clusterIP: {{Frontend.Address}}
          ports:
          - port: {{Frontend.Port}}
            protocol: TCP
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata:
          name: target-slice
          namespace: {{Cluster.Namespace}}
          labels:
            kubernetes.io/service-name: target
        addressType: IPv4
        ports:
        - port: {{Pod.Port}}
          protocol: TCP
        endpoints:
        - addresses:
          - {{Pod.Address}}

        """).ToString();
}
