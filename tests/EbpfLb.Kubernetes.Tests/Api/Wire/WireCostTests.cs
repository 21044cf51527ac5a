// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using System.Text;
using EbpfLb.Kubernetes.Api;
using Xunit.Abstractions;
using Messages = EbpfLb.Kubernetes.Api.Wire.Messages;

namespace EbpfLb.Kubernetes.Tests.Api.Wire;

/// <summary>What a list of a thousand slices of a hundred endpoints costs: printed, not asserted.</summary>
public sealed class WireCostTests(ITestOutputHelper output)
{
    private const int Slices = 1_000;
    private const int Endpoints = 100;

    [Fact]
    public async Task A_list_of_a_hundred_thousand_endpoints_is_read()
    {
        var slices = Enumerable.Range(0, Slices).Select(Slice).ToArray();
        await Measure("protobuf", Wires.SliceList(slices), Recordings.Protobuf);
        await Measure("JSON", Encoding.UTF8.GetBytes(Json()), Recordings.Json);
    }

    private async Task Measure(string encoding, byte[] body, string contentType)
    {
        await Wires.ReadList(body, contentType, ApiResource.EndpointSlices);

        long before = GC.GetAllocatedBytesForCurrentThread();
        long started = Stopwatch.GetTimestamp();
        var page = await Wires.ReadList(body, contentType, ApiResource.EndpointSlices);
        var time = Stopwatch.GetElapsedTime(started);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Empty(page.Defects);
        Assert.Equal(Slices * Endpoints, page.Items.Sum(item => item.Slice!.Endpoints!.Count));
        var nodes = page.Items.SelectMany(item => item.Slice!.Endpoints!).Select(endpoint => endpoint.NodeName!);
        Assert.Equal(20, nodes.ToHashSet<object>(ReferenceEqualityComparer.Instance).Count);
        output.WriteLine($"{encoding}: {body.Length} bytes; {time.TotalNanoseconds / Slices:F0} ns and {allocated / Slices} bytes a slice");
    }

    private static Messages.EndpointSlice Slice(int number)
    {
        var slice = new Messages.EndpointSlice
        {
            Metadata = new Messages.ObjectMeta
            {
                Name = $"web-{number}-x2x4z",
                Namespace = "default",
                Uid = "3bbe02af-7aac-4d11-a55e-a10a7bca6fd8",
                ResourceVersion = "231",
                CreationTimestamp = new Messages.Time { Seconds = 1_770_000_000 },
                Labels = { ["kubernetes.io/service-name"] = $"web-{number}", ["endpointslice.kubernetes.io/managed-by"] = "controller" },
            },
            AddressType = "IPv4",
            Ports = { new Messages.EndpointPort { Name = "http", Protocol = "TCP", Port = 8080 } },
        };
        slice.Endpoints.Add(Enumerable.Range(0, Endpoints).Select(i => new Messages.Endpoint
        {
            Addresses = { Address(number, i) },
            Conditions = new Messages.EndpointConditions { Ready = true, Serving = true, Terminating = false },
            NodeName = $"node-{i % 20}",
        }));
        return slice;
    }

    private static string Json() =>
        """{"kind":"EndpointSliceList","apiVersion":"discovery.k8s.io/v1","metadata":{"resourceVersion":"7"},"items":["""
        + string.Join(',', Enumerable.Range(0, Slices).Select(number =>
            $$"""{"metadata":{"name":"web-{{number}}-x2x4z","namespace":"default","labels":{"""
            + $$""" "kubernetes.io/service-name":"web-{{number}}" """
            + """}},"addressType":"IPv4","ports":[{"name":"http","protocol":"TCP","port":8080}],"endpoints":["""
            + string.Join(',', Enumerable.Range(0, Endpoints).Select(i =>
                $$"""{"addresses":["{{Address(number, i)}}"],"nodeName":"node-{{i % 20}}","conditions":"""
                + """{"ready":true,"serving":true,"terminating":false}}"""))
            + "]}"))
        + "]}";

    private static string Address(int slice, int endpoint) => $"10.{slice / 250}.{slice % 250}.{endpoint}";
}
