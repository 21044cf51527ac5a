// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Api;
using EbpfLb.Kubernetes.Api.Wire;
using EbpfLb.Kubernetes.Objects;
using Google.Protobuf;
using Messages = EbpfLb.Kubernetes.Api.Wire.Messages;

namespace EbpfLb.Kubernetes.Tests.Api.Wire;

/// <summary>The reader that goes straight to objects agrees with the generated classes, on recordings and on random messages.</summary>
public sealed class ProtobufOracleTests
{
    private const int Rounds = 300;

    private readonly Random _random = new(20260401);

    [Theory]
    [InlineData("services-list.pb")]
    [InlineData("endpointslices-list.pb")]
    public async Task Recorded_lists_are_read_alike(string name)
    {
        byte[] body = Recordings.Read(name);
        byte[] list = Messages.Unknown.Parser.ParseFrom(body.AsSpan(4)).Raw.ToByteArray();

        var page = await Wires.ReadList(body, Recordings.Protobuf, Recordings.ResourceOf(name));

        var expected = name.StartsWith("services", StringComparison.Ordinal)
            ? GeneratedMessages.ReadServices(list) : GeneratedMessages.ReadSlices(list);
        Assert.Equal(Recordings.Describe(expected), Recordings.Describe(page.Items));
    }

    [Fact]
    public Task Random_services_are_read_alike() => Compare(ApiResource.Services, "v1", "ServiceList", () => new Messages.ServiceList
    {
        Items = { Some(_ => new Messages.Service { Metadata = Metadata(), Spec = Spec(), Status = Status() }) },
    }, GeneratedMessages.ReadServices);

    [Fact]
    public Task Random_slices_are_read_alike() => Compare(ApiResource.EndpointSlices, "discovery.k8s.io/v1", "EndpointSliceList", () =>
        new Messages.EndpointSliceList { Items = { Some(_ => Slice()) } }, GeneratedMessages.ReadSlices);

    [Fact]
    public Task Random_nodes_are_read_alike() => Compare(ApiResource.Node("a"), "v1", "NodeList", () =>
        new Messages.NodeList { Items = { Some(_ => Node()) } }, GeneratedMessages.ReadNodes);

    [Fact]
    public Task Random_service_CIDRs_are_read_alike() => Compare(ApiResource.ServiceCidrs, "networking.k8s.io/v1", "ServiceCIDRList", () =>
        new Messages.ServiceCIDRList
        {
            Items =
            {
                Some(_ => new Messages.ServiceCIDR
                {
                    Metadata = Metadata(),
                    Spec = Chance(() => new Messages.ServiceCIDRSpec { Cidrs = { Some(_ => Text()) } }),
                }),
            },
        }, GeneratedMessages.ReadServiceCidrs);

    private static async Task Compare(
        ApiResource resource, string apiVersion, string kind, Func<IMessage> list, Func<byte[], IEnumerable<ApiObject>> oracle)
    {
        int compared = 0;
        for (int i = 0; i < Rounds; i++)
        {
            byte[] bytes = list().ToByteArray();
            var page = await Wires.ReadList(Wires.Envelope(apiVersion, kind, bytes), Recordings.Protobuf, resource);
            Assert.Empty(page.Defects);
            Assert.Equal(Recordings.Describe(oracle(bytes)), Recordings.Describe(page.Items));
            compared += page.Items.Count;
        }

        Assert.True(compared > Rounds);
    }

    private Messages.ObjectMeta Metadata()
    {
        var metadata = new Messages.ObjectMeta { Name = "n" + Text() };
        Maybe(() => metadata.Namespace = Text());
        Maybe(() => metadata.Uid = Text());
        Maybe(() => metadata.ResourceVersion = Text());
        Maybe(() => metadata.CreationTimestamp = new Messages.Time { Seconds = _random.NextInt64(-1_000_000, 4_000_000_000), Nanos = 0 });
        Maybe(() => metadata.DeletionTimestamp = new Messages.Time());
        Maybe(() => metadata.Labels.Add(WellKnown.ServiceNameLabel, Text()));
        Maybe(() => metadata.Labels.Add("other", Text()));
        Maybe(() => metadata.Annotations.Add(WellKnown.LastChangeTriggerAnnotation, Text()));
        Maybe(() => metadata.Annotations.Add(new string('k', _random.Next(300, 400)), Text()));
        return metadata;
    }

    private Messages.ServiceSpec? Spec() => Chance(() =>
    {
        var spec = new Messages.ServiceSpec
        {
            ClusterIps = { Some(_ => Text()) },
            ExternalIps = { Some(_ => Text()) },
            LoadBalancerSourceRanges = { Some(_ => Text()) },
            Ports = { Some(_ => ServicePort()) },
        };
        Maybe(() => spec.Type = Text());
        Maybe(() => spec.ClusterIp = Text());
        Maybe(() => spec.SessionAffinity = Text());
        Maybe(() => spec.ExternalTrafficPolicy = Text());
        Maybe(() => spec.InternalTrafficPolicy = Text());
        Maybe(() => spec.HealthCheckNodePort = Number());
        Maybe(() => spec.SessionAffinityConfig = new Messages.SessionAffinityConfig());
        Maybe(() => spec.SessionAffinityConfig = new Messages.SessionAffinityConfig { ClientIp = new Messages.ClientIPConfig() });
        Maybe(() => spec.SessionAffinityConfig = new Messages.SessionAffinityConfig
        {
            ClientIp = new Messages.ClientIPConfig { TimeoutSeconds = Number() },
        });
        return spec;
    });

    private Messages.ServicePort ServicePort()
    {
        var port = new Messages.ServicePort();
        Maybe(() => port.Name = Text());
        Maybe(() => port.Protocol = Text());
        Maybe(() => port.Port = Number());
        Maybe(() => port.NodePort = Number());
        return port;
    }

    private Messages.ServiceStatus? Status() => Chance(() => new Messages.ServiceStatus
    {
        LoadBalancer = Chance(() => new Messages.LoadBalancerStatus
        {
            Ingress =
            {
                Some(_ =>
                {
                    var ingress = new Messages.LoadBalancerIngress();
                    Maybe(() => ingress.Ip = Text());
                    Maybe(() => ingress.IpMode = Text());
                    return ingress;
                }),
            },
        }),
    });

    private Messages.EndpointSlice Slice()
    {
        var slice = new Messages.EndpointSlice { Metadata = Metadata(), Endpoints = { Some(_ => Endpoint()) } };
        Maybe(() => slice.AddressType = Text());
        slice.Ports.Add(Some(_ =>
        {
            var port = new Messages.EndpointPort();
            Maybe(() => port.Name = Text());
            Maybe(() => port.Protocol = Text());
            Maybe(() => port.Port = Number());
            return port;
        }));
        return slice;
    }

    private Messages.Endpoint Endpoint()
    {
        var endpoint = new Messages.Endpoint { Addresses = { Some(_ => Text()) } };
        Maybe(() => endpoint.NodeName = Text());
        Maybe(() => endpoint.Conditions = new Messages.EndpointConditions());
        Maybe(() => (endpoint.Conditions ??= new Messages.EndpointConditions()).Ready = Coin());
        Maybe(() => (endpoint.Conditions ??= new Messages.EndpointConditions()).Serving = Coin());
        Maybe(() => (endpoint.Conditions ??= new Messages.EndpointConditions()).Terminating = Coin());
        Maybe(() => endpoint.Hints = new Messages.EndpointHints
        {
            ForZones = { Some(_ => new Messages.ForZone { Name = Text() }) },
            ForNodes = { Some(_ => new Messages.ForNode()) },
        });
        return endpoint;
    }

    private Messages.Node Node()
    {
        var node = new Messages.Node { Metadata = Metadata() };
        Maybe(() =>
        {
            node.Spec = new Messages.NodeSpec
            {
                PodCidrs = { Some(_ => Text()) },
                Taints = { Some(_ => new Messages.Taint { Key = Text() }) },
            };
            Maybe(() => node.Spec.PodCidr = Text());
        });
        Maybe(() => node.Status = new Messages.NodeStatus
        {
            Addresses = { Some(_ => new Messages.NodeAddress { Type = Text(), Address = Text() }) },
        });
        return node;
    }

    private string Text() => _random.Next(4) switch
    {
        0 => "",
        1 => "TCP",
        2 => "ünïcode-" + _random.Next(10),
        _ => new string((char)('a' + _random.Next(26)), _random.Next(1, 400)),
    };

    private int Number() => _random.Next(4) switch
    {
        0 => 0,
        1 => -1,
        2 => int.MinValue,
        _ => _random.Next(),
    };

    private bool Coin() => _random.Next(2) == 0;

    private void Maybe(Action act)
    {
        if (Coin())
            act();
    }

    private T? Chance<T>(Func<T> make) where T : class => Coin() ? make() : null;

    private IEnumerable<T> Some<T>(Func<int, T> make) => [.. Enumerable.Range(0, _random.Next(5)).Select(make)];
}
