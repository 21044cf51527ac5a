// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using EbpfLb.Kubernetes.Manifests;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Tests.Manifests;

/// <summary>Every way in which a file can be wrong is told with its line, its object and its field.</summary>
public sealed class ManifestProblemTests
{
    [Theory]
    [InlineData("port: 80", "port: 0", "8: Service default/web: spec.ports[0].port: 0 is not a port; expected 1 to 65535")]
    [InlineData("port: 80", "port: 65536", "8: Service default/web: spec.ports[0].port: 65536 is not a port; expected 1 to 65535")]
    [InlineData("port: 80", "port: 2147483648", "8: Service default/web: spec.ports[0].port: 2147483648 does not fit into 32 bits")]
    [InlineData("port: 80", "port: 8e1", "8: Service default/web: spec.ports[0].port: must be a whole number, not the number 8e1")]
    [InlineData("port: 80", "port: \"80\"", "8: Service default/web: spec.ports[0].port: must be a whole number, not the string '80'")]
    [InlineData("port: 80", "port: !!str 80", "8: Service default/web: spec.ports[0].port: must be a whole number, not the string '80'")]
    [InlineData("port: 80", "port: http", "8: Service default/web: spec.ports[0].port: must be a whole number, not the string 'http'")]
    [InlineData("port: 80", "port: [80]", "8: Service default/web: spec.ports[0].port: must be a whole number, not a list")]
    [InlineData("port: 80", "port:", "8: Service default/web: spec.ports[0].port: is required")]
    [InlineData("port: 80", "protocol: TCP", "8: Service default/web: spec.ports[0].port: is required")]
    [InlineData("- port: 80", "- 80", "8: Service default/web: spec.ports[0]: must be a mapping, not the number 80")]
    [InlineData("ports:\n  - port: 80", "ports: 80", "7: Service default/web: spec.ports: must be a list, not the number 80")]
    [InlineData("port: 80", "port: 80\n    protocol: QUIC",
        "9: Service default/web: spec.ports[0].protocol: 'QUIC' is not a protocol; expected TCP, UDP or SCTP")]
    [InlineData("10.96.0.10", "10.96.0.256", "6: Service default/web: spec.clusterIP: '10.96.0.256' is not an IP address")]
    [InlineData("10.96.0.10", "10.96", "6: Service default/web: spec.clusterIP: must be text, not the number 10.96; put it in quotes")]
    [InlineData("name: web", "name: 123", "4: Service default/?: metadata.name: must be text, not the number 123; put it in quotes")]
    [InlineData("name: web", "name: yes", "4: Service default/?: metadata.name: must be text, not the boolean yes; put it in quotes")]
    [InlineData("name: web", "namespace: web", "4: Service web/?: metadata.name: is required")]
    [InlineData("metadata:\n  name: web\n", "", "1: Service default/?: metadata.name: is required")]
    [InlineData("metadata:\n  name: web\n", "metadata: web\n", "3: Service default/?: metadata: must be a mapping, not the string 'web'")]
    [InlineData("name: web", "name: web\n  creationTimestamp: yesterday",
        "5: Service default/web: metadata.creationTimestamp: 'yesterday' is not a time; expected the form 2026-01-31T12:00:00Z")]
    [InlineData("name: web", "name: web\n  creationTimestamp: 2026-01-31T12:00:00",
        "5: Service default/web: metadata.creationTimestamp: '2026-01-31T12:00:00' is not a time; expected the form 2026-01-31T12:00:00Z")]
    [InlineData("name: web", "name: web\n  annotations: {ebpflb.io/algorithm: 1}",
        "5: Service default/web: metadata.annotations[ebpflb.io/algorithm]: must be text, not the number 1; put it in quotes")]
    [InlineData("kind: Service\n", "", "1: kind: is required in every document")]
    [InlineData("kind: Service", "kind: [Service]", "2: kind: must be text, not a list")]
    [InlineData("apiVersion: v1\n", "", "1: apiVersion: is required in every document")]
    [InlineData("apiVersion: v1\n", "apiVersion: 1\n", "1: apiVersion: must be text, not the number 1")]
    [InlineData("name: web", "name: web\n  name: web2", "5: the key 'name' appears twice in one mapping")]
    [InlineData("name: web", "? [a, b]\n  : c", "4: the key of a mapping must be a string")]
    [InlineData("name: web", "name: *web", "4: the alias *web names no anchor that is complete before it")]
    [InlineData("name: web", "<<: web", "4: '<<' needs a mapping or a list of mappings")]
    [InlineData("name: web", "name: we\u0007b", "4: the file contains the control character 0x07, which YAML does not allow")]
    [InlineData("name: web", "name: web\0", "4: the file contains the control character 0x00, which YAML does not allow")]
    public void Wrong_value_in_a_service_is_told_with_its_place(string right, string wrong, string expected)
    {
        string text = ManifestText.Service();
        Assert.Contains(right, text, StringComparison.Ordinal);

        var manifest = ManifestParserTests.Parse("web.yaml", text.Replace(right, wrong, StringComparison.Ordinal));

        Assert.Equal(1, manifest.InvalidCount);
        Assert.Equal($"web.yaml:{expected}", Assert.Single(manifest.Problems).ToString());
    }

    [Theory]
    [InlineData("10.244.1.11", "127.0.0.1", "11: EndpointSlice default/web-1: endpoints[0].addresses[0]: 127.0.0.1 is a loopback address; no endpoint may have it")]
    [InlineData("[10.244.1.11]", "10.244.1.11", "11: EndpointSlice default/web-1: endpoints[0].addresses: must be a list, not the string '10.244.1.11'")]
    [InlineData("[10.244.1.11]", "[11]", "11: EndpointSlice default/web-1: endpoints[0].addresses[0]: must be text, not the number 11; put it in quotes")]
    [InlineData("[10.244.1.11]", "[[]]", "11: EndpointSlice default/web-1: endpoints[0].addresses[0]: must be text, not a list")]
    [InlineData("[10.244.1.11]", "[]", "11: EndpointSlice default/web-1: endpoints[0].addresses: an endpoint must have an address")]
    [InlineData("- addresses: [10.244.1.11]", "- null", "11: EndpointSlice default/web-1: endpoints[0].addresses: an endpoint must have an address")]
    [InlineData("[10.244.1.11]", "[10.244.1.11]\n  conditions: {ready: \"true\"}",
        "12: EndpointSlice default/web-1: endpoints[0].conditions.ready: must be true or false, not the string 'true'")]
    [InlineData("[10.244.1.11]", "[10.244.1.11]\n  hints:\n    forZones:\n    - zone-a",
        "14: EndpointSlice default/web-1: endpoints[0].hints.forZones[0]: must be a mapping, not the string 'zone-a'")]
    [InlineData("addressType: IPv4\n", "", "1: EndpointSlice default/web-1: addressType: is required: IPv4 or IPv6")]
    [InlineData("service-name: web", "service-name: 7",
        "6: EndpointSlice default/web-1: metadata.labels[kubernetes.io/service-name]: must be text, not the number 7; put it in quotes")]
    public void Wrong_value_in_a_slice_is_told_with_its_place(string right, string wrong, string expected)
    {
        string text = ManifestText.Slice(addresses: "10.244.1.11").ReplaceLineEndings("\n");
        Assert.Contains(right, text, StringComparison.Ordinal);

        var manifest = ManifestParserTests.Parse("web.yaml", text.Replace(right, wrong, StringComparison.Ordinal));

        Assert.Equal(1, manifest.InvalidCount);
        Assert.Equal($"web.yaml:{expected}", manifest.Problems[0].ToString());
    }

    [Theory]
    [InlineData("a: [1\nb: 2\n", 2)]
    [InlineData("a: 1\n  b: 2\n", 2)]
    [InlineData("a: 'open\n\n", 3)]
    [InlineData("a: 1\n\tb: 2\n", 2)]
    [InlineData("a: 1\nb:\n\tc: 2\n", 3)]
    [InlineData("a: 1\nb\nc: 2\n", 2)]
    [InlineData("a: \"\\q\"\n", 1)]
    [InlineData("just text\n", 1)]
    [InlineData("- a\n- b\n", 1)]
    [InlineData("a: &x [*x]\n", 1)]
    [InlineData("{apiVersion: v1}}\n", 1)]
    [InlineData("kind: 'x'\n%YAML 9.9\n---\n", 2)]
    public void Text_that_is_not_a_yaml_manifest_is_told_with_its_line(string text, int line)
    {
        var manifest = ManifestParserTests.Parse("bad.yaml", text);

        Assert.Equal(line, manifest.Problems[^1].Line);
        Assert.Equal(Severity.Invalid, manifest.Problems[^1].Severity);
    }

    [Theory]
    [InlineData("{\n\"a\": 1,\n}", 3)]
    [InlineData("{\"a\": 1\n\"b\": 2}", 2)]
    [InlineData("{\"a\": 1", 1)]
    [InlineData("\n\n// no\n{}", 3)]
    [InlineData("{}\n]", 2)]
    [InlineData("[]", 1)]
    [InlineData("{\n\"a\": 1,\n\"a\": 2}", 3)]
    [InlineData("{\"a\": 01}", 1)]
    [InlineData("{\n\"a\": \"\\ud800\"}", 2)]
    [InlineData("apiVersion: v1\n", 1)]
    public void Text_that_is_not_a_json_manifest_is_told_with_its_line(string text, int line)
    {
        var manifest = ManifestParserTests.Parse("bad.json", text);

        Assert.Equal(line, manifest.Problems[^1].Line);
        Assert.Equal(Severity.Invalid, manifest.Problems[^1].Severity);
    }

    [Theory]
    [InlineData("bad.yaml")]
    [InlineData("bad.json")]
    public void File_that_is_not_UTF8_is_told_with_its_line(string file)
    {
        byte[] content = [.. "{\"a\": 1,\n\"b\": \""u8, 0xc3, 0x28, .. "\"}\n"u8];

        var manifest = new ManifestParser().Parse(file, content);

        Assert.Equal(2, Assert.Single(manifest.Problems).Line);
        Assert.False(manifest.IsValid);
    }

    [Fact]
    public void Object_that_is_twice_in_one_file_is_told_with_both_lines()
    {
        var manifest = ManifestParserTests.Parse("web.yaml", ManifestText.Service() + "---\n" + ManifestText.Service());

        Assert.Equal("web.yaml:10: Service default/web: the object is in this file twice, first at line 1",
            Assert.Single(manifest.Problems).ToString());
    }

    [Fact]
    public void Problem_in_a_list_is_told_with_its_object_and_line()
    {
        string bad = ManifestText.Node("Bad");
        var manifest = ManifestParserTests.Parse("list.json",
            $$"""
            {"kind": "List", "apiVersion": "v1", "items": [
              {{ManifestText.Node()}},
              {{bad}},
              7
            ]}
            """);

        Assert.Equal(2, manifest.InvalidCount);
        Assert.StartsWith("list.json:3: Node Bad: metadata.name: 'Bad' must be", manifest.Problems[0].ToString(), StringComparison.Ordinal);
        Assert.Equal("list.json:4: List: items: an item must be a mapping, not the number 7", manifest.Problems[1].ToString());
    }

    [Fact]
    public void Objects_as_items_of_what_is_no_list_are_refused()
    {
        var manifest = ManifestParserTests.Parse("odd.json", $$"""{"items": [{{ManifestText.Node()}}], "kind": "Bag", "apiVersion": "v1"}""");

        Assert.Equal("odd.json:1: Bag: items: only a list has objects as items", manifest.Problems[0].ToString());
    }

    [Fact]
    public void Field_of_the_wrong_type_is_not_told_again_as_missing()
    {
        var manifest = ManifestParserTests.Parse("web.yaml", ManifestText.Service(port: "\"80\""));

        Assert.Equal(1, manifest.InvalidCount);
    }

    [Fact]
    public void Of_many_problems_the_first_are_kept_and_all_are_counted()
    {
        string ports = string.Concat(Enumerable.Range(1, 500).Select(i => $"  - {{name: p{i}, port: \"{i}\"}}\n"));
        var manifest = ManifestParserTests.Parse("web.yaml", ManifestText.Service().Replace("  - port: 80\n", ports, StringComparison.Ordinal));

        Assert.Equal((ParsedManifest.ProblemLimit, 8), (manifest.Problems.Count, manifest.Problems[0].Line));
        Assert.InRange(manifest.InvalidCount, 500, 1000);
    }

    [Fact]
    public void S197_what_a_file_says_stays_on_one_line_of_a_message()
    {
        var manifest = ManifestParserTests.Parse("we\nb.yaml", ManifestText.Service(name: "\"web\\n\\e[31m../{0}\""));

        string message = Assert.Single(manifest.Problems).ToString();
        Assert.DoesNotContain(message, char.IsControl);
        Assert.StartsWith("we\\u000ab.yaml:4: Service default/web\\u000a\\u001b[31m../{0}: metadata.name: ", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nesting_beyond_the_limit_is_refused()
    {
        string nested = new string('[', 1000) + new string(']', 1000);

        Assert.Contains("nested deeper than 200", ManifestParserTests.Parse("a.yaml", $"a: {nested}").Problems[0].Message, StringComparison.Ordinal);
        Assert.Contains("depth", ManifestParserTests.Parse("a.json", $"{{\"a\": {nested}}}").Problems[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Aliases_that_multiply_are_refused_before_they_cost_anything()
    {
        var bomb = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 30; i++)
            bomb.Append(System.Globalization.CultureInfo.InvariantCulture, $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n");

        var manifest = ManifestParserTests.Parse("bomb.yaml", bomb.ToString());

        Assert.Contains("more than 1000000 values", Assert.Single(manifest.Problems).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("big.json", "{\"kind\": \"List\", \"apiVersion\": \"v1\", \"x\": [", "1,", "1]}")]
    [InlineData("big.yaml", "a:\n", "- 1\n", "- 1\n")]
    public void Object_with_more_values_than_the_limit_is_refused(string file, string start, string item, string end)
    {
        string text = start + string.Concat(Enumerable.Repeat(item, 1000)) + end;

        Assert.Contains("more than 1000 values",
            ManifestParserTests.Parse(file, text, new ManifestLimits { MaxNodesPerObject = 1000 }).Problems[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Limit_of_values_is_for_each_item_of_a_list()
    {
        string items = string.Join(",", Enumerable.Range(0, 1000).Select(i => ManifestText.Node($"node-{i}")));
        var manifest = ManifestParserTests.Parse("list.json", $$"""{"kind": "List", "apiVersion": "v1", "items": [{{items}}]}""",
            new ManifestLimits { MaxNodesPerObject = 100 });

        Assert.Empty(manifest.Problems);
        Assert.Equal(1000, manifest.Objects.Count);
    }

    [Fact]
    public void Items_that_must_wait_for_the_end_of_their_list_count_together()
    {
        string items = string.Join(",", Enumerable.Range(0, 1000).Select(i => $$$"""{"metadata": {"name": "n{{{i}}}"}}"""));
        var manifest = ManifestParserTests.Parse("list.json", $$"""{"items": [{{items}}], "kind": "NodeList", "apiVersion": "v1"}""",
            new ManifestLimits { MaxNodesPerObject = 100 });

        Assert.Contains("more than 100 values", manifest.Problems[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void File_larger_than_the_limit_is_refused_with_its_size()
    {
        var manifest = ManifestParserTests.Parse("web.yaml", ManifestText.Service(), new ManifestLimits { MaxFileBytes = 10 });

        Assert.Contains("more than the 10 that are read", Assert.Single(manifest.Problems).Message, StringComparison.Ordinal);
        Assert.Equal(Severity.Invalid, manifest.Problems[0].Severity);
    }

    [Theory]
    [InlineData("web.yaml", true)]
    [InlineData("web.yml", true)]
    [InlineData("web.JSON", true)]
    [InlineData("web.yaml~", false)]
    [InlineData(".web.yaml", false)]
    [InlineData(".web.yaml.swp", false)]
    [InlineData("..data", false)]
    [InlineData("#web.yaml#", false)]
    [InlineData("#web.yaml", false)]
    [InlineData("~$web.yaml", false)]
    [InlineData("web.txt", false)]
    [InlineData("yaml", false)]
    [InlineData("", false)]
    public void Name_tells_what_is_a_manifest(string name, bool expected) => Assert.Equal(expected, ManifestFileName.IsManifest(name));
}
