// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using EbpfLb.Cli.Commands;
using EbpfLb.Cli.Output;
using EbpfLb.Cli.Tests.Support;
using FsCheck;
using FsCheck.Fluent;

namespace EbpfLb.Cli.Tests;

public sealed class OutputTests
{
    [Theory]
    [InlineData("plain-name.1", "plain-name.1")]
    [InlineData("größe 東京 ✓", "größe 東京 ✓")]
    [InlineData("a\tb\r\n", @"a\x09b\x0d\x0a")]
    [InlineData("\x1b[31mred\u009b0m", @"\x1b[31mred\x9b0m")]
    [InlineData("\u200b\u2028\ufeff", @"\u{200b}\u{2028}\u{feff}")]
    public void What_a_terminal_would_obey_is_shown_as_an_escape(string text, string expected) =>
        Assert.Equal(expected, Printable.Of(text));

    [Fact]
    public void No_text_gets_a_control_character_through()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<string>(), text =>
            !Printable.Of(text ?? "").Any(character => char.IsControl(character) || character is '\u202e' or '\u2028' or '\u200f'))
            .QuickCheckThrowOnFailure();
    }

    [Fact]
    public void YAML_gives_any_text_back_as_text()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<string>(), text =>
        {
            // A lone surrogate is no text: writers replace it.
            string wanted = new([.. (text ?? "").Where(character => !char.IsSurrogate(character))]);
            return wanted == (string?)RoundTrip(new JsonObject { ["key"] = wanted })!["key"];
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("true")]
    [InlineData("NO")]
    [InlineData("null")]
    [InlineData("~")]
    [InlineData("")]
    [InlineData("12")]
    [InlineData("1e3")]
    [InlineData("0x1f")]
    [InlineData("10.96.0.1:80")]
    [InlineData("2001:db8::1")]
    [InlineData("- x")]
    [InlineData("a: b")]
    [InlineData("# c")]
    [InlineData(" lead")]
    [InlineData("*alias")]
    public void YAML_quotes_text_that_a_reader_could_take_for_something_else(string text)
    {
        var output = new StringWriter();
        YamlText.Write(output, new JsonObject { ["key"] = text });
        Assert.Equal($"key: \"{text}\"\n", output.ToString());
    }

    [Fact]
    public void YAML_nests_and_keeps_numbers_truths_and_nothing()
    {
        var node = JsonNode.Parse("""{"a":[{"b":1,"c":[true,false,null,1.5,-3]},[],{}],"d":"x","e":{"f":"true"}}""")!;
        Assert.Equal(node.ToJsonString(), RoundTrip(node)!.ToJsonString());
    }

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(59.9, "59s")]
    [InlineData(60, "1m")]
    [InlineData(192, "3m12s")]
    [InlineData(18420, "5h7m")]
    [InlineData(1047600, "12d3h")]
    public void Times_are_told_in_two_units(double seconds, string expected) =>
        Assert.Equal(expected, Units.Of(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(512, "512B")]
    [InlineData(1536, "1.5KiB")]
    [InlineData(67_108_864, "64MiB")]
    public void Sizes_are_told_in_powers_of_1024(ulong bytes, string expected) => Assert.Equal(expected, Units.OfBytes(bytes));

    [Theory]
    [InlineData(0, "0%")]
    [InlineData(0.0001, "<1%")]
    [InlineData(0.999, "99%")]
    [InlineData(1, "100%")]
    public void Only_what_is_full_is_shown_as_full(double share, string expected) => Assert.Equal(expected, Units.OfShare(share));

    [Theory]
    [InlineData("web", true)]
    [InlineData("shop/web", true)]
    [InlineData("shop/web:http", true)]
    [InlineData("web:http", true)]
    [InlineData("web:https", false)]
    [InlineData("other/web", false)]
    [InlineData("/web", false)]
    [InlineData("shop/", false)]
    [InlineData("we", false)]
    public void A_service_is_meant_by_its_name_with_or_without_namespace_and_port(string typed, bool expected) =>
        Assert.Equal(expected, ServiceName.Parse("shop/web:http").Matches(typed));

    private static JsonNode? RoundTrip(JsonNode node)
    {
        var output = new StringWriter();
        YamlText.Write(output, node);
        return YamlReader.Read(output.ToString());
    }
}
