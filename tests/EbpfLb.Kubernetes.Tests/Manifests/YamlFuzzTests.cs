// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using EbpfLb.Kubernetes.Manifests;
using FsCheck;
using FsCheck.Fluent;

namespace EbpfLb.Kubernetes.Tests.Manifests;

public sealed class YamlFuzzTests
{
    private static readonly string[] Bases =
    [
        ManifestText.Service(),
        ManifestText.Slice(addresses: ["10.244.1.11", "10.244.1.12"]),
        "a: &x {b: [1, 2], c: 'd'}\ne: *x\nf: {<<: *x}\ng: |\n  text\n  more\nh: >-\n  folded\n",
    ];

    [Fact]
    public void Mutated_yaml_never_harms_the_parser() => ManifestParserFuzz.Run("web.yaml", Bases, seed: 20260131);

    [Fact]
    public void Any_bytes_never_harm_the_parser() =>
        Prop.ForAll<byte[]>(content =>
        {
            ManifestParserFuzz.Check(new ManifestParser(), "web.yaml", content ?? []);
            ManifestParserFuzz.Check(new ManifestParser(), "web.json", content ?? []);
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("[")]
    [InlineData("{")]
    [InlineData("- ")]
    [InlineData("? ")]
    [InlineData("a: ")]
    [InlineData("\"")]
    [InlineData("'")]
    [InlineData("a")]
    [InlineData("&a ")]
    [InlineData("!!str ")]
    [InlineData("---\n")]
    [InlineData("- &a [*a]\n")]
    [InlineData("a,")]
    [InlineData("\n")]
    [InlineData(" ")]
    [InlineData("a:\n ")]
    [InlineData("#\n")]
    [InlineData("%YAML 1.1\n")]
    public void Same_thing_over_and_over_costs_no_more_than_its_length(string part)
    {
        byte[] content = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(part, 200_000 / part.Length)));

        ManifestParserFuzz.Check(new ManifestParser(), "web.yaml", content);
        ManifestParserFuzz.Check(new ManifestParser(), "web.yaml", [.. "a: "u8, .. content]);
        ManifestParserFuzz.Check(new ManifestParser(), "web.json", content);
    }
}
