// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using EbpfLb.Kubernetes.Api;
using EbpfLb.Kubernetes.Api.Wire;
using Google.Protobuf;
using Messages = EbpfLb.Kubernetes.Api.Wire.Messages;

namespace EbpfLb.Kubernetes.Tests.Api.Wire;

/// <summary>One object that cannot be read takes nothing with it.</summary>
public sealed class WireDefectTests
{
    [Fact]
    public async Task S160_Fields_and_values_that_nobody_knows_are_skipped()
    {
        // Field 99, 99, 100 and 100, encoded in each of the four ways.
        byte[] unknown =
        [
            0x98, 0x06, 0x01, 0x9a, 0x06, 0x02, (byte)'h', (byte)'i', 0xa1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8, 0xa5, 0x06, 1, 2, 3, 4,
        ];
        byte[] service = [.. unknown, .. Service("web").ToByteArray(), .. unknown];
        byte[] body = Wires.Envelope("v1", "ServiceList", [.. unknown, .. Wires.Item(service), .. unknown]);

        var page = await Wires.ReadList(body, Recordings.Protobuf, ApiResource.Services);
        var json = await Wires.ReadJsonList("""
            {"kind":"ServiceList","apiVersion":"v1","future":[{}],"metadata":{"future":1},"items":[{"metadata":{"name":"web","x":[]},
             "spec":{"sessionAffinity":"Foo","trafficDistribution":"Foo","future":{"deep":[[]]}},"status":{"loadBalancer":{}}}]}
            """, ApiResource.Services);

        foreach (var read in new[] { page, json })
        {
            Assert.Empty(read.Defects);
            Assert.Equal("Foo", Assert.Single(read.Items).Service!.Spec!.SessionAffinity);
        }
    }

    [Fact]
    public async Task S160_Null_where_an_object_is_expected_is_nothing()
    {
        var page = await Wires.ReadJsonList("""
            {"kind":"EndpointSliceList","apiVersion":"discovery.k8s.io/v1","metadata":null,"items":[
             {"metadata":{"name":"a","labels":null,"annotations":null},"endpoints":null,"ports":null},
             {"metadata":{"name":"b"},"endpoints":[null,{"addresses":null,"conditions":null,"hints":null}],"ports":[null]},
             null,
             {"metadata":null}]}
            """, ApiResource.EndpointSlices);

        Assert.Equal(["a", "b"], page.Items.Select(item => item.Slice!.Metadata!.Name!));
        Assert.Equal(2, page.Items[1].Slice!.Endpoints!.Count);
        Assert.Equal(
            ["must be a mapping, not null", "metadata.name is missing"], page.Defects.Select(defect => defect.Message));
        Assert.Null(page.ResourceVersion);
        Assert.Empty((await Wires.ReadJsonList("""{"kind":"ServiceList","apiVersion":"v1","items":null}""", ApiResource.Services)).Items);
    }

    [Fact]
    public async Task S155_A_field_of_the_wrong_type_reads_as_absent_and_is_told()
    {
        var page = await Wires.ReadJsonList("""
            {"kind":"ServiceList","apiVersion":"v1","items":[
             {"metadata":{"name":"web","namespace":"shop"},"spec":{"clusterIP":"10.96.0.1","ports":[{"port":"80"},{"port":81}]}},
             {"metadata":{"name":"db","namespace":"shop"},"spec":{"clusterIP":"10.96.0.2","ports":[{"port":5432}]}}]}
            """, ApiResource.Services);

        Assert.Equal([null, 81], page.Items[0].Service!.Spec!.Ports!.Select(port => port.Port));
        Assert.Equal("db", page.Items[1].Service!.Metadata!.Name);
        Assert.Equal(["spec.ports[0].port: must be a whole number, not the string '80'", null], page.Items.Select(item => item.Defect));
        Assert.Empty(page.Defects);
    }

    [Theory]
    [InlineData(1_000, true)]
    [InlineData(100_000, false)]
    public async Task S160_Deep_nesting_costs_at_most_its_own_object(int depth, bool isRead)
    {
        string deep = string.Concat(Enumerable.Repeat("""{"a":[""", depth / 2)) + string.Concat(Enumerable.Repeat("]}", depth / 2));
        string list = $$$"""
            {"kind":"ServiceList","apiVersion":"v1","items":[
             {"metadata":{"name":"deep","annotations": {{{deep}}} },"spec":{"clusterIP":"10.96.0.1"}},
             {"metadata":{"name":"flat"},"spec":{"clusterIP":"10.96.0.2"}}]}
            """;
        string line = """{"type":"ADDED","object":{"kind":"Service","apiVersion":"v1","metadata":{"name":"deep"},"x":""" + deep + "}}\n";

        var page = await Wires.ReadJsonList(list, ApiResource.Services);
        var told = await Wires.ReadWatch(Encoding.UTF8.GetBytes(line + line), Recordings.Json, ApiResource.Services);

        string[] expected = isRead ? ["deep", "flat"] : ["flat"];
        Assert.Equal(expected, page.Items.Select(item => item.Service!.Metadata!.Name!));
        Assert.Equal(isRead ? 0 : 1, page.Defects.Count);
        Assert.Equal(2, told.Count);
        Assert.All(told, item => Assert.Equal(isRead, item.Object is not null));
        Assert.All(told, item => Assert.Equal(isRead, item.Defect is null));
    }

    [Fact]
    public async Task S160_An_annotation_of_five_megabytes_is_skipped()
    {
        string large = new('x', 5_000_000);
        var service = Service("web");
        service.Metadata.Annotations["big"] = large;
        service.Metadata.Annotations["ebpflb.io/algorithm"] = "maglev";
        byte[] body = Wires.ServiceList(service.ToByteArray());

        var page = await Wires.ReadList(body, Recordings.Protobuf, ApiResource.Services);
        var json = await Wires.ReadJsonList($$$"""
            {"kind":"ServiceList","apiVersion":"v1","items":[
             {"metadata":{"name":"web","annotations":{"big":"{{{large}}}","ebpflb.io/algorithm":"maglev"} } }]}
            """, ApiResource.Services);

        foreach (var read in new[] { page, json })
        {
            Assert.Empty(read.Defects);
            Assert.Equal("maglev", Assert.Single(Assert.Single(read.Items).Service!.Metadata!.Annotations!).Value);
        }
    }

    [Fact]
    public async Task A_damaged_object_in_a_list_is_named_and_the_others_are_read()
    {
        byte[] damaged = [.. Service("bad").ToByteArray(), 0x12, 0x7f];
        byte[] body = Wires.ServiceList(Service("a").ToByteArray(), damaged, [], Service("b").ToByteArray());

        var page = await Wires.ReadList(body, Recordings.Protobuf, ApiResource.Services);

        Assert.Equal(["a", "b"], page.Items.Select(item => item.Service!.Metadata!.Name!));
        Assert.Equal(
            [("bad", "field 2 has 127 bytes, and its message has 0 left"), (null, "metadata.name is missing")],
            page.Defects.Select(defect => (defect.Metadata?.Name, defect.Message)));
    }

    [Fact]
    public async Task A_damaged_object_in_a_watch_is_named_with_its_version_and_the_watch_goes_on()
    {
        byte[] damaged = [.. Service("bad").ToByteArray(), 0x12, 0x7f];
        byte[] body =
        [
            .. Wires.Frame("MODIFIED", Wires.Envelope("v1", "Service", damaged)),
            .. Wires.Frame("MODIFIED", Wires.Envelope("v1", "Pod", Service("pod").ToByteArray())),
            .. Wires.Frame("MODIFIED", "k9s\0"u8.ToArray()),
            .. Wires.Frame("ADDED", Wires.Envelope("v1", "Service", Service("good").ToByteArray())),
        ];

        var told = await Wires.ReadWatch(body, Recordings.ProtobufWatch, ApiResource.Services);

        Assert.Equal("bad", told[0].Defect!.Metadata!.Name);
        Assert.Equal("field 2 has 127 bytes, and its message has 0 left", told[0].Defect!.Message);
        Assert.Equal("9", told[0].ResourceVersion);
        Assert.Equal(
            ["is 'Pod' of 'v1'", "a message does not begin as the API's protobuf does"], told[1..3].Select(item => item.Defect!.Message));
        Assert.All(told[1..3], item => Assert.Null(item.Defect!.Metadata));
        Assert.All(told.Take(3), item => Assert.Null(item.Object));
        Assert.Equal("good", told[3].Object!.Service!.Metadata!.Name);
    }

    [Fact]
    public async Task A_damaged_object_in_a_watch_of_JSON_is_told_and_the_watch_goes_on()
    {
        const string Lines = """
            {"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web","resourceVersion":"3"}}}
            {"type":"ADDED","object":{"metadata":{"name":"web"}}}
            {"type":"ADDED","object":{"kind":"Service","apiVersion":"v1","metadata":{"name":"a","name":"b"}}}
            {"type":"ADDED","object":{"kind":"Service","apiVersion":"v1","metadata":{"name":"\ud800"}}}
            {"type":"ADDED","object":17}
            {"type":"ADDED"}
            {"type":"ADDED","object":{"kind":"Service","apiVersion":"v1","metadata":{"name":"good"}}}

            """;

        var told = await Wires.ReadWatch(Encoding.UTF8.GetBytes(Lines), Recordings.Json, ApiResource.Services);

        Assert.Equal(
        [
            "is 'Pod' of 'v1'",
            "is '' of ''",
            "the key 'name' appears twice in one mapping",
            "not valid JSON: the text is not UTF-8, or half of a surrogate pair is missing",
            "must be a mapping, not the number 17",
            "is missing",
            null,
        ], told.Select(item => item.Defect?.Message));
        Assert.All(told, item => Assert.Null(item.Defect?.Metadata));
        Assert.Equal("good", told[6].Object!.Service!.Metadata!.Name);
    }

    [Fact]
    public async Task Text_that_would_control_a_terminal_is_escaped_in_a_defect()
    {
        var page = await Wires.ReadJsonList(
            """{"kind":"ServiceList","apiVersion":"v1","items":[{"metadata":{"name":"\u001b[31m\n","namespace":5}}]}""",
            ApiResource.Services);

        string? defect = Assert.Single(page.Items).Defect;
        Assert.Equal(@"metadata.namespace: must be text, not the number 5; put it in quotes", defect);
    }

    [Fact]
    public async Task A_time_that_is_none_is_a_defect()
    {
        var service = Service("web");
        service.Metadata.CreationTimestamp = new Messages.Time { Seconds = long.MaxValue };

        var page = await Wires.ReadList(
            Wires.ServiceList(service.ToByteArray()), Recordings.Protobuf, ApiResource.Services);

        Assert.Empty(page.Items);
        Assert.Contains("timestamp", Assert.Single(page.Defects).Message);
    }

    [Fact]
    public async Task Defects_are_told_one_by_one_and_too_many_are_no_list()
    {
        byte[] some = Wires.ServiceList([.. Enumerable.Repeat<byte[]>([], 1_000)]);
        byte[] many = Wires.ServiceList([.. Enumerable.Repeat<byte[]>([], 10_001)]);

        var page = await Wires.ReadList(some, Recordings.Protobuf, ApiResource.Services);

        Assert.Equal(1_000, page.Defects.Count);
        await Assert.ThrowsAsync<WireException>(() => Wires.ReadList(many, Recordings.Protobuf, ApiResource.Services));
    }

    private static Messages.Service Service(string name) => new()
    {
        Metadata = new Messages.ObjectMeta { Name = name, Namespace = "shop", ResourceVersion = "9" },
        Spec = new Messages.ServiceSpec { SessionAffinity = "Foo" },
    };
}
