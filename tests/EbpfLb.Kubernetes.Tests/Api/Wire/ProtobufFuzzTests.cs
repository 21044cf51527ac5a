// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using Messages = EbpfLb.Kubernetes.Api.Wire.Messages;

namespace EbpfLb.Kubernetes.Tests.Api.Wire;

public sealed class ProtobufFuzzTests
{
    private static readonly Messages.EndpointSlice Slice = new()
    {
        Metadata = new Messages.ObjectMeta
        {
            Name = "web-1",
            Namespace = "default",
            ResourceVersion = "5",
            CreationTimestamp = new Messages.Time { Seconds = 1_770_000_000 },
            Labels = { ["kubernetes.io/service-name"] = "web" },
        },
        AddressType = "IPv4",
        Ports = { new Messages.EndpointPort { Name = "http", Protocol = "TCP", Port = 80 } },
        Endpoints =
        {
            new Messages.Endpoint
            {
                Addresses = { "10.244.1.11" },
                Conditions = new Messages.EndpointConditions { Ready = true, Terminating = false },
                NodeName = "node-a",
                Hints = new Messages.EndpointHints { ForZones = { new Messages.ForZone { Name = "zone-a" } } },
            },
        },
    };

    [Fact]
    public Task S201_Mutated_protobuf_never_harms_the_reader() => new WireFuzz(
        Recordings.Protobuf,
        [Wires.SliceList(Slice, Slice), Recordings.Read("endpointslices-list.pb"), Recordings.Read("services-list-page1.pb")],
        [
            [.. Wires.SliceFrame("ADDED", Slice), .. Wires.SliceFrame("MODIFIED", Slice)],
            [.. Wires.Frame("ERROR", Recordings.Read("status-404.pb"))],
            Recordings.Read("endpointslices-watch.pb"),
        ],
        seed: 20260201).Run(120_000);
}
