// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using EbpfLb.Kubernetes.Manifests;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Tests.Manifests;

public sealed class ManifestParserTests
{
    private const string YamlOfEverything = """
        # A service and what serves it.
        apiVersion: v1
        kind: Service
        metadata:
          name: web
          namespace: shop
          creationTimestamp: 2026-01-31T12:00:00Z
          unknownField: {deep: [1, 2, {x: y}]}
          annotations:
            ebpflb.io/algorithm: "maglev"
            else: 7
        spec:
          selector: {app: web}
          clusterIP: 10.96.0.15
          clusterIPs: [10.96.0.15, "fd00:10:96::15"]
          sessionAffinity: ClientIP
          sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}
          internalTrafficPolicy: Local
          ports:
          - name: http
            port: 80
            targetPort: http
          - {name: dns, port: 53, protocol: UDP}
        status: {loadBalancer: {}}
        ---
        ---
        # Only a comment.
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata:
          name: web-1
          namespace: shop
          labels: {kubernetes.io/service-name: web}
        addressType: IPv6
        ports:
        - name: http
          port: 8080
        endpoints:
        - addresses: ["fd00:10:244:1::11"]
          conditions: {ready: false, serving: yes, terminating: true}
          nodeName: node-1
          zone: zone-a
          hints: {forZones: [{name: zone-a}], forNodes: [{name: node-1}]}
        - addresses:
          - fd00:10:244:1::12
          conditions: null
        ---
        apiVersion: v1
        kind: Node
        metadata:
          name: node-1
          labels:
            topology.kubernetes.io/zone: zone-a
        ...
        """;

    private const string JsonOfEverything = """
        {
        	"kind": "List", "apiVersion": "v1", "metadata": {},
        	"items": [
        		{"apiVersion": "v1", "kind": "Service",
        		 "metadata": {"name": "web", "namespace": "shop", "creationTimestamp": "2026-01-31T12:00:00Z",
        			"annotations": {"ebpflb.io/algorithm": "maglev", "else": 7}},
        		 "spec": {"clusterIP": "10.96.0.15", "clusterIPs": ["10.96.0.15", "fd00:10:96::15"], "sessionAffinity": "ClientIP",
        			"sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}}, "internalTrafficPolicy": "Local",
        			"ports": [{"name": "http", "port": 80, "targetPort": "http"}, {"name": "dns", "port": 53, "protocol": "UDP"}]}},
        		{"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        		 "metadata": {"name": "web-1", "namespace": "shop", "labels": {"kubernetes.io\/service-name": "web"}},
        		 "addressType": "IPv6", "ports": [{"name": "http", "port": 8080}],
        		 "endpoints": [
        			{"addresses": ["fd00:10:244:1::11"], "conditions": {"ready": false, "serving": true, "terminating": true},
        			 "nodeName": "node-1", "zone": "zone-a", "hints": {"forZones": [{"name": "zone-a"}], "forNodes": [{"name": "node-1"}]}},
        			{"addresses": ["fd00:10:244:1::12"], "conditions": null}]},
        		{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1", "labels": {"topology.kubernetes.io/zone": "zone-a"}}}
        	]
        }
        """;

    [Theory]
    [InlineData("all.yaml", YamlOfEverything)]
    [InlineData("all.yml", YamlOfEverything)]
    [InlineData("all.json", JsonOfEverything)]
    public void File_with_every_kind_gives_its_objects(string file, string text)
    {
        var manifest = Parse(file, text);

        Assert.Empty(manifest.Problems);
        Assert.Equal(
            new Service
            {
                Name = new ObjectName("shop", "web"),
                CreatedAt = new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero),
                ClusterIPs = [Address.Parse("10.96.0.15"), Address.Parse("fd00:10:96::15")],
                Ports = [new ServicePort("http", Protocol.Tcp, 80), new ServicePort("dns", Protocol.Udp, 53)],
                AffinityTimeoutSeconds = 60,
                InternalTrafficPolicy = TrafficPolicy.Local,
                Algorithm = Algorithm.Maglev,
            },
            manifest.Objects[0].Service);
        Assert.Equal(
            new EndpointSlice
            {
                Name = new ObjectName("shop", "web-1"),
                Service = new ObjectName("shop", "web"),
                Family = AddressFamily.IPv6,
                Ports = [new EndpointPort("http", Protocol.Tcp, 8080)],
                Endpoints =
                [
                    new Endpoint
                    {
                        Address = Address.Parse("fd00:10:244:1::11"),
                        Ready = false,
                        Terminating = true,
                        NodeName = "node-1",
                        ZoneHints = ["zone-a"],
                        NodeHints = ["node-1"],
                    },
                    new Endpoint { Address = Address.Parse("fd00:10:244:1::12") },
                ],
            },
            manifest.Objects[1].Slice);
        Assert.Equal(new Node("node-1", "zone-a"), manifest.Objects[2].Node);
        Assert.Equal(3, manifest.Objects.Count);
    }

    [Fact]
    public void List_whose_kind_comes_after_its_items_is_read_as_kubectl_writes_it()
    {
        string text = $$$"""
            {"apiVersion": "v1", "items": [{{{ManifestText.Node()}}}, {{{ManifestText.Node("node-2")}}}], "kind": "List", "metadata": {}}
            """;

        Assert.Equal(["Node node-1", "Node node-2"], Parse("list.json", text).Objects.Select(item => item.Key.ToString()));
    }

    [Theory]
    [InlineData("external.yaml", """
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec:
          type: LoadBalancer
          clusterIP: 10.96.0.15
          externalIPs: [203.0.113.20]
          loadBalancerSourceRanges: [" 192.0.2.0/28"]
          ports: [{port: 80, nodePort: 30080, protocol: SCTP}]
        status:
          loadBalancer:
            ingress: [{hostname: lb.example}, {ip: 198.51.100.1, ipMode: VIP, ports: []}]
        ---
        apiVersion: v1
        kind: Node
        metadata: {name: node-1}
        spec: {podCIDR: 10.244.1.0/24, podCIDRs: [10.244.1.0/24]}
        status: {addresses: [{type: InternalIP, address: 10.10.0.1}], capacity: {cpu: "2"}}
        ---
        apiVersion: networking.k8s.io/v1
        kind: ServiceCIDRList
        items: [{metadata: {name: kubernetes}, spec: {cidrs: [10.96.0.0/16, "fd00:10:96::/112"]}}]
        """)]
    [InlineData("external.json", """
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"type": "LoadBalancer", "clusterIP": "10.96.0.15",
          "externalIPs": ["203.0.113.20"], "loadBalancerSourceRanges": [" 192.0.2.0/28"],
          "ports": [{"port": 80, "nodePort": 30080, "protocol": "SCTP"}]},
          "status": {"loadBalancer": {"ingress": [{"hostname": "lb.example"}, {"ip": "198.51.100.1", "ipMode": "VIP", "ports": []}]}}}
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"},
          "spec": {"podCIDR": "10.244.1.0/24", "podCIDRs": ["10.244.1.0/24"]},
          "status": {"addresses": [{"type": "InternalIP", "address": "10.10.0.1"}], "capacity": {"cpu": "2"}}}
        {"apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR", "metadata": {"name": "kubernetes"},
          "spec": {"cidrs": ["10.96.0.0/16", "fd00:10:96::/112"]}}
        """)]
    public void What_is_reachable_from_outside_reads_the_same_in_both_formats(string fileName, string text)
    {
        var manifest = Parse(fileName, text);
        Assert.Empty(manifest.Problems);
        Assert.Equal(
            ["Service default/web", "Node node-1", "ServiceCIDR kubernetes"], manifest.Objects.Select(item => item.Key.ToString()));
        Assert.Equal(
            new Service
            {
                Name = new ObjectName("default", "web"),
                ClusterIPs = [Address.Parse("10.96.0.15")],
                Ports = [new ServicePort("", Protocol.Sctp, 80, 30080)],
                ExternalIPs = [Address.Parse("203.0.113.20")],
                LoadBalancerIPs = [Address.Parse("198.51.100.1")],
                LoadBalancerSourceRanges = [AddressPrefix.Parse("192.0.2.0/28")],
            },
            manifest.Objects[0].Service);
        Assert.Equal(
            new Node("node-1") { Addresses = [Address.Parse("10.10.0.1")], PodCidrs = [AddressPrefix.Parse("10.244.1.0/24")] },
            manifest.Objects[1].Node);
        Assert.Equal(
            new ServiceCidr("kubernetes", [AddressPrefix.Parse("10.96.0.0/16"), AddressPrefix.Parse("fd00:10:96::/112")]),
            manifest.Objects[2].ServiceCidr);
    }

    [Theory]
    [InlineData("""{"kind": "NodeList", "apiVersion": "v1", "items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]}""")]
    [InlineData("""{"items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}], "kind": "NodeList", "apiVersion": "v1"}""")]
    public void Items_of_a_typed_list_inherit_its_kind(string text) =>
        Assert.Equal(["Node a", "Node b"], Parse("list.json", text).Objects.Select(item => item.Key.ToString()));

    [Fact]
    public void Json_file_may_hold_several_documents()
    {
        var manifest = Parse("nodes.json", "\ufeff" + ManifestText.Node("a") + "\n" + ManifestText.Node("b") + ManifestText.Node("c"));

        Assert.Equal(["Node a", "Node b", "Node c"], manifest.Objects.Select(item => item.Key.ToString()));
        Assert.Equal([1, 2, 2], manifest.Objects.Select(item => item.Line));
    }

    [Fact]
    public void Yaml_with_anchors_and_a_merge_key_is_read()
    {
        var manifest = Parse("web.yaml", """
            apiVersion: v1
            kind: Service
            metadata: {name: web}
            spec:
              clusterIP: 10.96.0.1
              ports:
              - &http {name: http, port: 80, protocol: TCP}
              - <<: *http
                name: more
                port: 81
            """);

        Assert.Empty(manifest.Problems);
        Assert.Equal([new ServicePort("http", Protocol.Tcp, 80), new ServicePort("more", Protocol.Tcp, 81)],
            Assert.Single(manifest.Objects).Service!.Ports);
    }

    [Theory]
    [InlineData("")]
    [InlineData("   \n\n")]
    [InlineData("# nothing\n")]
    [InlineData("---\n---\n")]
    public void File_without_a_document_is_good_and_has_no_objects(string text)
    {
        Assert.Empty(Parse("a.yaml", text).Objects);
        Assert.Empty(Parse("a.yaml", text).Problems);
        if (!text.Contains('#', StringComparison.Ordinal) && !text.Contains('-', StringComparison.Ordinal))
            Assert.Empty(Parse("a.json", text).Problems);
    }

    [Fact]
    public void Unknown_kind_is_told_once_per_file_and_the_rest_is_served()
    {
        const string Deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n---\n";
        var manifest = Parse("mixed.yaml", Deployment + Deployment + ManifestText.Service());

        Assert.True(manifest.IsValid);
        Assert.Equal("Service default/web", Assert.Single(manifest.Objects).Key.ToString());
        Assert.StartsWith("mixed.yaml:1: kind: 'Deployment' of 'apps/v1' is not served", Assert.Single(manifest.Problems).ToString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Version_that_is_not_read_is_told_with_the_one_that_is()
    {
        var manifest = Parse("old.yaml", "apiVersion: discovery.k8s.io/v1beta1\nkind: EndpointSlice\nmetadata: {name: s}\n");

        Assert.False(manifest.IsValid);
        Assert.Contains("apiVersion: discovery.k8s.io/v1", Assert.Single(manifest.Problems).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void S24_headless_service_claims_its_name_and_serves_nothing()
    {
        var item = Assert.Single(Parse("web.yaml", ManifestText.Service(clusterIP: "None")).Objects);

        Assert.Equal(("Service default/web", false), (item.Key.ToString(), item.IsServed));
    }

    [Fact]
    public void S160_annotation_of_five_megabytes_does_no_harm()
    {
        string text = ManifestText.Service().Replace("  name: web", $"  name: web\n  annotations:\n    note: {new string('x', 5_000_000)}",
            StringComparison.Ordinal);

        Assert.NotNull(Assert.Single(Parse("web.yaml", text).Objects).Service);
    }

    internal static ParsedManifest Parse(string file, string text, ManifestLimits? limits = null) =>
        new ManifestParser(limits).Parse(file, Encoding.UTF8.GetBytes(text));
}
