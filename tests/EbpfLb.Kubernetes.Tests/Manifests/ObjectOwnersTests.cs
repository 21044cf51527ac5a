// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Manifests;
using EbpfLb.Kubernetes.Manifests.Source;
using EbpfLb.LoadBalancing.Model;
using FsCheck;
using FsCheck.Fluent;

namespace EbpfLb.Kubernetes.Tests.Manifests;

public sealed class ObjectOwnersTests
{
    private static readonly string[] Files = ["a.yaml", "b.yaml", "c.yaml"];

    private static readonly string[] Names = ["s0", "s1", "s2", "s3"];

    /// <summary>
    /// Against the plain rule: of all files that name an object, the first by name has it. Batches of random sizes, applied to what a
    /// receiver holds, keep it equal to that, and name nothing that did not change.
    /// </summary>
    [Fact]
    public void Batches_keep_a_receiver_equal_to_the_rule() => Prop.ForAll<int>(seed => Run(new Random(seed))).QuickCheckThrowOnFailure();

    private static void Run(Random random)
    {
        var owners = new ObjectOwners();
        var files = Files.Select(name => new ManifestFile(name)).ToArray();
        var received = new Dictionary<ObjectName, Service>();
        for (int round = 0; round < 50; round++)
        {
            var batch = new ChangeBatch();
            for (int i = random.Next(1, 4); i > 0; i--)
                owners.Replace(files[random.Next(files.Length)], RandomObjects(random), batch);

            var expected = Expected(files);
            if (batch.Build(owners, nodeName: null) is { } change)
            {
                Assert.All(change.RemovedServices, name => Assert.True(received.Remove(name)));
                Assert.All(change.UpsertedServices, service => Assert.NotEqual(service, received.GetValueOrDefault(service.Name)));
                foreach (var service in change.UpsertedServices)
                    received[service.Name] = service;
            }

            Assert.Equal(expected, received);
            CheckContests(owners, files);
        }
    }

    private static ManifestObject[] RandomObjects(Random random) =>
        [.. Names.Where(_ => random.Next(2) == 0).Select(name => RandomObject(name, random))];

    private static ManifestObject RandomObject(string name, Random random)
    {
        var objectName = new ObjectName("default", name);
        int port = random.Next(3);
        var service = port == 0 ? null : new Service { Name = objectName, Ports = [new ServicePort("", Protocol.Tcp, (ushort)port)] };
        return new ManifestObject(new ObjectKey(ObjectKind.Service, objectName), random.Next(1, 3)) { Service = service };
    }

    private static Dictionary<ObjectName, Service> Expected(IEnumerable<ManifestFile> files) =>
        files.SelectMany(file => file.Objects)
            .GroupBy(item => item.Key)
            .Select(group => group.First().Service)
            .OfType<Service>()
            .ToDictionary(service => service.Name);

    private static void CheckContests(ObjectOwners owners, ManifestFile[] files)
    {
        var expected =
            from file in files
            from item in file.Objects
            let owner = files.First(other => other.Objects.Any(candidate => candidate.Key == item.Key))
            where owner != file
            select new Contest(item.Key, owner.Name, file.Name, item.Line);
        Assert.Equal(expected.ToHashSet(), owners.Contests().ToHashSet());
        Assert.Equal(files.SelectMany(file => file.Objects).Select(item => item.Key).Distinct().Count(), owners.Count);
    }
}
