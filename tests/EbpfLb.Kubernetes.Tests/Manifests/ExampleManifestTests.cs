// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Reflection;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Tests.Manifests;

public sealed class ExampleManifestTests
{
    [Theory]
    [InlineData("web.yaml", "10.96.0.10 fd00:10:96::10", 2)]
    [InlineData("affinity.yaml", "10.96.0.11", 1)]
    [InlineData("maglev.yaml", "10.96.0.12 fd00:10:96::12", 1)]
    public void Example_is_served_whole(string file, string clusterIPs, int ports)
    {
        var manifest = ManifestParserTests.Parse(file, Read(file));

        Assert.Empty(manifest.Problems);
        var service = manifest.Objects.Single(item => item.Service is not null).Service!;
        Assert.Equal(clusterIPs, string.Join(" ", service.ClusterIPs));
        var slices = manifest.Objects.Where(item => item.Slice is not null).Select(item => item.Slice!).ToArray();
        Assert.Equal(service.ClusterIPs.Select(address => address.Family).Order(), slices.Select(slice => slice.Family).Order());
        Assert.All(slices, slice =>
        {
            Assert.Equal(service.Name, slice.Service);
            Assert.Equal(3, slice.Endpoints.Count);
            Assert.Equal(service.Ports.Select(port => (port.Name, port.Protocol)), slice.Ports.Select(port => (port.Name, port.Protocol)));
            Assert.All(slice.Ports, port => Assert.Equal(8080, port.Port));
        });
        Assert.Equal(ports, service.Ports.Count);
        Assert.All(service.Ports, port => Assert.Equal(80, port.Port));
    }

    [Fact]
    public void Examples_show_affinity_and_maglev()
    {
        var affinity = ManifestParserTests.Parse("affinity.yaml", Read("affinity.yaml")).Objects[0].Service!;
        var maglev = ManifestParserTests.Parse("maglev.yaml", Read("maglev.yaml")).Objects[0].Service!;

        Assert.Equal(300u, affinity.AffinityTimeoutSeconds);
        Assert.Equal((Algorithm.Maglev, 1021), (maglev.Algorithm!.Value, maglev.MaglevTableSize));
    }

    [Fact]
    public void Examples_do_not_get_into_each_others_way()
    {
        var objects = new[] { "web.yaml", "affinity.yaml", "maglev.yaml" }
            .SelectMany(file => ManifestParserTests.Parse(file, Read(file)).Objects).ToArray();

        Assert.Equal(objects.Length, objects.Select(item => item.Key).Distinct().Count());
        var addresses = objects.SelectMany(item => item.Service?.ClusterIPs ?? default).ToArray();
        Assert.Equal(addresses.Length, addresses.Distinct().Count());
    }

    private static string Read(string file)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(file)!;
        return new StreamReader(stream).ReadToEnd();
    }
}
