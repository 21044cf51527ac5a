// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Api;
using EbpfLb.Kubernetes.Api.Reflection;
using EbpfLb.Kubernetes.Api.Wire;
using EbpfLb.Kubernetes.Objects;
using EbpfLb.Kubernetes.Tests.Support;
using EbpfLb.LoadBalancing.State;
using FsCheck;
using FsCheck.Fluent;

namespace EbpfLb.Kubernetes.Tests.Api.Reflection;

public sealed class ReflectorProperties
{
    private static readonly string[] Names = ["s0", "s1", "s2", "s3", "s4"];

    /// <summary>
    /// Objects come, change, go and come again under random names. What happened is told with duplicates, in any order within a window,
    /// with windows told again, and with lists between them that may be abandoned half way. In the end the state is what it is.
    /// </summary>
    [Fact]
    public void S152_state_is_what_it_is_however_it_was_told() =>
        Prop.ForAll<int>(seed => Run(new Random(seed))).QuickCheckThrowOnFailure();

    private static void Run(Random random)
    {
        var writer = new ClusterStateWriter();
        var logger = new RecordingLogger<ApiSource>();
        var translation = new ObjectTranslation(ApiResource.Services, "node-1", server: null);
        var mirror = new ResourceMirror(ApiResource.Services, translation, writer, new ProblemBook(logger), logger);
        var truth = new Dictionary<string, (string Uid, int Version)>();
        int version = 0;
        List(mirror, truth, random, isWhole: true);
        for (int round = 0; round < 30; round++)
        {
            if (random.Next(8) == 0)
            {
                // Meanwhile things happened that nobody was told.
                for (int i = random.Next(4); i > 0; i--)
                    Happen(truth, ref version, random);
                List(mirror, truth, random, isWhole: false);
                List(mirror, truth, random, isWhole: true);
            }

            var window = Enumerable.Range(0, random.Next(1, 8)).Select(_ => Happen(truth, ref version, random)).ToList();
            window.AddRange([.. window.Where(_ => random.Next(3) == 0)]);
            var shuffled = window.ToArray();
            random.Shuffle(shuffled);
            foreach (var told in random.Next(2) == 0 ? window : [.. shuffled])
            {
                mirror.Take(told);
                if (random.Next(3) == 0)
                    mirror.Publish();
            }

            mirror.Publish();
            Assert.Equal(truth.Select(entry => (entry.Key, entry.Value.Uid, Port(entry.Value.Version))).Order(),
                writer.Take().State.Services.Select(service => (service.Name.Name, service.Uid, (int)service.Ports[0].Port)).Order());
            Assert.Equal(truth.Count, mirror.Count);
        }
    }

    private static void List(ResourceMirror mirror, Dictionary<string, (string Uid, int Version)> truth, Random random, bool isWhole)
    {
        mirror.BeginList();
        foreach (var (name, (uid, version)) in truth.OrderBy(_ => random.Next()).Take(isWhole ? int.MaxValue : random.Next(3)))
            mirror.Take(Told(WatchEventType.Added, name, uid, version));
        if (isWhole)
            mirror.EndList();
        else
            mirror.AbandonList();
    }

    private static WatchEvent Happen(Dictionary<string, (string Uid, int Version)> truth, ref int version, Random random)
    {
        string name = Names[random.Next(Names.Length)];
        version += random.Next(1, 3);
        if (!truth.TryGetValue(name, out var known))
        {
            truth[name] = ($"{name}-{version}", version);
            return Told(WatchEventType.Added, name, truth[name].Uid, version);
        }

        if (random.Next(3) == 0)
        {
            truth.Remove(name);
            return Told(WatchEventType.Deleted, name, known.Uid, version);
        }

        truth[name] = known with { Version = version };
        return Told(WatchEventType.Modified, name, known.Uid, version);
    }

    private static int Port(int version) => 1000 + version;

    private static WatchEvent Told(WatchEventType type, string name, string uid, int version) => new(type)
    {
        Object = new ApiObject
        {
            Service = new ServiceObject
            {
                Metadata = new ObjectMeta { Namespace = "default", Name = name, Uid = uid, ResourceVersion = $"{version}" },
                Spec = new ServiceSpec { ClusterIP = "10.96.0.10", Ports = [new ServicePortSpec { Port = Port(version) }] },
            },
        },
        ResourceVersion = $"{version}",
    };
}
