// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Reflection;

namespace EbpfLb.Kubernetes.Tests.Manifests;

/// <summary>The files of tools/manifests, which users copy and the demo serves.</summary>
public sealed class ExampleManifestTests
{
    private static readonly string[] Files = ["cart.yaml", "cidr.yaml", "front.yaml", "node.yaml", "search.yaml", "web-endpoints.yaml", "web.yaml"];

    [Fact]
    public void Every_example_is_among_those_tested() =>
        Assert.Equal(Files, Assembly.GetExecutingAssembly().GetManifestResourceNames().Order(StringComparer.Ordinal));

    [Fact]
    public void Examples_have_no_problem_and_do_not_get_into_each_others_way()
    {
        var manifests = Files.Select(file => ManifestParserTests.Parse(file, Read(file))).ToArray();
        Assert.All(manifests, manifest => Assert.Empty(manifest.Problems));

        var objects = manifests.SelectMany(manifest => manifest.Objects).ToArray();
        Assert.Equal(objects.Length, objects.Select(item => item.Key).Distinct().Count());
        var addresses = objects.SelectMany(item => item.Service?.ClusterIPs ?? default).ToArray();
        Assert.Equal(addresses.Length, addresses.Distinct().Count());
    }

    [Fact]
    public void Every_slice_belongs_to_a_service_of_the_examples_and_serves_a_port_of_it()
    {
        var objects = Files.SelectMany(file => ManifestParserTests.Parse(file, Read(file)).Objects).ToArray();
        var services = objects.Where(item => item.Service is not null).ToDictionary(item => item.Service!.Name, item => item.Service!);
        var slices = objects.Where(item => item.Slice is not null).Select(item => item.Slice!).ToArray();
        Assert.NotEmpty(slices);
        Assert.All(slices, slice => Assert.All(slice.Ports, port => Assert.Contains(
            services[slice.Service].Ports, candidate => (candidate.Name, candidate.Protocol) == (port.Name, port.Protocol))));
    }

    [Fact]
    public void One_example_keeps_its_clients() => Assert.Equal(
        1800u, ManifestParserTests.Parse("cart.yaml", Read("cart.yaml")).Objects.Single(item => item.Service is not null).Service!.AffinityTimeoutSeconds);

    private static string Read(string file)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(file)!;
        return new StreamReader(stream).ReadToEnd();
    }
}
