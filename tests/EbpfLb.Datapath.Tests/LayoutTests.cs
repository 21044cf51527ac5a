// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Loading;
using EbpfLb.Linux.Processes;

namespace EbpfLb.Datapath.Tests;

public sealed class LayoutTests
{
    private static readonly string Objects =
        typeof(LayoutTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "BpfObjects").Value!;

    private readonly Bpftool _bpftool = new(Bpftool.Locate(null), new ProcessRunner());

    [Fact]
    public async Task Every_type_of_the_contract_has_a_mirror_of_the_same_layout_and_every_mirror_a_type()
    {
        using var btf = await _bpftool.DumpBtfAsync(Path.Combine(Objects, "layout.bpf.o"), CancellationToken.None);
        Assert.Empty(LayoutCheck.Compare(btf, LayoutCheck.Scope.AllTypes));
    }

    [Fact]
    public async Task The_object_that_is_loaded_fits_as_well()
    {
        using var btf = await _bpftool.DumpBtfAsync(Path.Combine(Objects, "lb_sock.bpf.o"), CancellationToken.None);
        Assert.Empty(LayoutCheck.Compare(btf, LayoutCheck.Scope.TypesPresent));
    }

    [Fact]
    public void Every_mirror_in_the_assembly_is_compared()
    {
        var marked = typeof(CTypeAttribute).Assembly.GetTypes()
            .Select(type => type.GetCustomAttribute<CTypeAttribute>()?.Name).OfType<string>();
        Assert.Equal(marked.Append("lb_address").Order(StringComparer.Ordinal), Mirror.All.Select(mirror => mirror.CName).Order(StringComparer.Ordinal));
    }

    /// <summary>One change to the BTF at a time; each must be found. Without this, a comparison that compares nothing would pass.</summary>
    [Theory]
    [InlineData("lb_backend", "size", "struct lb_backend has 25 bytes")]
    [InlineData("lb_backend.port", "bits_offset", "lb_backend.port is at 17")]
    [InlineData("lb_affinity_key.service_id", "bits_offset", "lb_affinity_key.service_id is at 17")]
    [InlineData("lb_agent.syncs", "name", "lb_agent.other is at 16")]
    [InlineData("lb_vip", "name", "struct lb_other has no mirror")]
    [InlineData("lb_backend_flags.LB_BACKEND_ON_NODE", "val", "LB_BACKEND_ON_NODE is 5")]
    [InlineData("lb_algorithm", "name", "enum lb_other has no mirror")]
    public async Task A_changed_layout_is_found(string target, string property, string expected)
    {
        using var original = await _bpftool.DumpBtfAsync(Path.Combine(Objects, "layout.bpf.o"), CancellationToken.None);
        var root = JsonNode.Parse(original.RootElement.GetRawText())!;
        string[] path = target.Split('.');
        var node = root["types"]!.AsArray().Single(type => (string?)type!["name"] == path[0] && type["size"] is not null)!;
        if (path.Length > 1)
            node = (node["members"] ?? node["values"])!.AsArray().Single(member => (string?)member!["name"] == path[1])!;

        node[property] = property switch
        {
            "name" => path.Length > 1 ? "other" : "lb_other",
            "bits_offset" => (int)node[property]! + 8,
            _ => (int)node[property]! + 1,
        };

        using var changed = JsonDocument.Parse(root.ToJsonString());
        Assert.Contains(LayoutCheck.Compare(changed, LayoutCheck.Scope.AllTypes), finding => finding.Contains(expected, StringComparison.Ordinal));
    }
}
