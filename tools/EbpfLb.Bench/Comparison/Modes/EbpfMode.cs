// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using System.Globalization;
using EbpfLb.Bench.Api;
using EbpfLb.Bench.Comparison.Results;
using EbpfLb.Bench.Comparison.Services;
using EbpfLb.Bench.Comparison.Traffic;
using EbpfLb.Bench.Packets;
using EbpfLb.Bench.Processes;

namespace EbpfLb.Bench.Comparison.Modes;

/// <summary>The agent as it ships follows an API server that has the services; socket hooks, tc and XDP.</summary>
/// <param name="xdp">The agent's option of that name.</param>
internal sealed class EbpfMode(ComparedNode node, string executable, string xdp) : ServiceMode(Mode.Ebpf, node)
{
    private readonly string _objects = Directory.CreateTempSubdirectory("ebpflb-bench-objects-").FullName;

    private FakeApiProcess? _api;
    private AgentProcess? _agent;
    private string? _place;
    private int _places;
    private ComparedCluster? _served;

    public override double? MapMB => _agent is { } agent ? ProcessFacts.MapMB(agent.Id) : null;

    public override double? ProcessMB => _agent is { } agent ? ProcessFacts.ResidentMB(agent.Id) : null;

    public override double Program(ComparedCluster cluster, CancellationToken stopping)
    {
        Serve(cluster, stopping);
        _place = Node.Sandbox.NewBpfFs(string.Create(CultureInfo.InvariantCulture, $"ebpf{_places++}"));
        _agent = new AgentProcess(executable, Node.Sandbox, _place, ["--kubeconfig", _api!.Kubeconfig, "--xdp", xdp]);
        // It programs nothing before every source has told all, so the first run has all.
        var first = _agent.WaitForFirstSync(stopping);
        int backends = Convergence.Backends(AgentProcess.PinDirectory(_place));
        if (backends != cluster.BackendCount)
            throw new BenchException($"the agent programmed {backends} backends, not {cluster.BackendCount}");
        return Stopwatch.GetElapsedTime(_agent.StartedAt, first.At).TotalMilliseconds;
    }

    public override void Clear()
    {
        if (_agent is null)
            return;

        _agent.Dispose();
        _agent = null;
        Command.Run("nsenter", [$"--net={Node.Namespace}", "--", executable, "cleanup", "--bpffs", _place!], CancellationToken.None);
    }

    public override long Move(ComparedCluster before, ComparedCluster after, CancellationToken stopping)
    {
        _served = after;
        long start = Stopwatch.GetTimestamp();
        _api!.PutSliceAsync(ApiObjects.Slice(after.Moving), stopping).GetAwaiter().GetResult();
        return start;
    }

    protected override void Dispose(bool disposing)
    {
        // The node goes whatever else stays.
        try
        {
            if (disposing)
                Remove();
        }
        finally
        {
            base.Dispose(disposing);
        }
    }

    private void Remove()
    {
        try
        {
            Clear();
        }
        finally
        {
            _api?.Dispose();
            Directory.Delete(_objects, recursive: true);
        }
    }

    private void Serve(ComparedCluster cluster, CancellationToken stopping)
    {
        if (_served == cluster)
            return;

        _api?.Dispose();
        using (var file = new StreamWriter(Path.Combine(_objects, "all.yaml")))
            ApiObjects.Write(cluster, file);
        _api = FakeApiProcess.Start(Node.Sandbox, _objects, stopping);
        _served = cluster;
    }
}
