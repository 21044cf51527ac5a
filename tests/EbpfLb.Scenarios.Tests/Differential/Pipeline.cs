// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Sync;
using EbpfLb.Kubernetes.Objects;
using EbpfLb.Kubernetes.Translation;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Maglev;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;

namespace EbpfLb.Scenarios.Tests.Differential;

/// <summary>What the agent is made of, from objects to maps, over maps that outlive it.</summary>
internal sealed class Pipeline
{
    private const string Source = "test";
    private readonly InMemoryMaps _maps = new();
    private readonly ManualTime _time = new();
    private readonly DesiredStateOptions _options;

    // As they were told last, so that only what changed is told.
    private Dictionary<string, object> _told = [];
    private ClusterStateWriter _writer = null!;
    private DesiredState _desired = null!;
    private DatapathSync _sync = null!;

    /// <param name="maglev">Spread what can be dialled from outside by Maglev tables, as the agent does by itself.</param>
    public Pipeline(bool maglev)
    {
        _options = new DesiredStateOptions
        {
            NodeName = Cluster.NodeName,
            DefaultAlgorithm = maglev ? null : Algorithm.Random,
            Maglev = new MaglevOptions { TableSize = 251 },
        };
        Start();
    }

    public ILbMaps Maps => _maps;

    /// <summary>The next life begins with what the maps hold and a list of everything.</summary>
    public void Restart(Cluster cluster)
    {
        Start();
        Tell(cluster, new HashSet<string>());
    }

    /// <param name="recreated">Objects that went and came in between: "service namespace/name".</param>
    public void Tell(Cluster cluster, IReadOnlySet<string> recreated)
    {
        Dictionary<string, object> objects = new(StringComparer.Ordinal);
        foreach (var (name, service) in cluster.Services)
            objects["service " + name] = service;
        foreach (var (name, slice) in cluster.Slices)
            objects["slice " + name] = slice;
        foreach (var (name, cidr) in cluster.Cidrs)
            objects["cidr " + name] = cidr;
        if (cluster.Node is { } node)
            objects["node"] = node;

        foreach (string key in _told.Keys.Where(key => !objects.ContainsKey(key) || recreated.Contains(key)))
            _writer.Apply(Deletion(key, _told[key]));
        foreach (var (key, value) in objects)
        {
            if (!_told.TryGetValue(key, out object? before) || !ReferenceEquals(before, value))
                _writer.Apply(Upsert(value));
        }

        _told = objects;
        _writer.SetListed(Source, complete: true);
    }

    public ApplyReport Reconcile()
    {
        // A slot range rests for a second of this clock before it is used again.
        _time.Advance(TimeSpan.FromSeconds(1));
        var delta = _writer.Take();
        return _sync.Apply(_desired.Update(delta.State, delta.Dirty), delta.IsComplete);
    }

    private static ObjectName NameOf(ObjectMeta metadata) => new(metadata.Namespace!, metadata.Name!);

    private static ClusterChange Deletion(string key, object value) => value switch
    {
        ServiceObject service => new ClusterChange { RemovedServices = [NameOf(service.Metadata!)] },
        EndpointSliceObject slice => new ClusterChange { RemovedSlices = [NameOf(slice.Metadata!)] },
        ServiceCidrObject cidr => new ClusterChange { RemovedServiceCidrs = [cidr.Metadata!.Name!] },
        NodeObject => new ClusterChange { Node = new NodeChange(null) },
        _ => throw new InvalidOperationException(key),
    };

    // What translation leaves out is, to the model, gone.
    private static ClusterChange Upsert(object value)
    {
        var problems = new ProblemList();
        return value switch
        {
            ServiceObject service => ServiceTranslation.Translate(service, problems) is { } upserted
                ? new ClusterChange { UpsertedServices = [upserted] } : Deletion("", value),
            EndpointSliceObject slice => EndpointSliceTranslation.Translate(slice, problems) is { } upserted
                ? new ClusterChange { UpsertedSlices = [upserted] } : Deletion("", value),
            ServiceCidrObject cidr => ServiceCidrTranslation.Translate(cidr, problems) is { } upserted
                ? new ClusterChange { UpsertedServiceCidrs = [upserted] } : Deletion("", value),
            NodeObject node => new ClusterChange { Node = new NodeChange(NodeTranslation.Translate(node, problems)) },
            _ => throw new InvalidOperationException(value.GetType().Name),
        };
    }

    private void Start()
    {
        _told = [];
        _writer = new ClusterStateWriter();
        _writer.RegisterSource(Source);
        _desired = new DesiredState(_options);
        _sync = DatapathSync.Restore(_maps, new DatapathSyncOptions { Maglev = _options.Maglev }, _time);
        Assert.Empty(_sync.RestoreFindings);
    }
}
