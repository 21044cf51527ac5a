// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Tests.Translation;

public sealed class PrintableTextTests
{
    [Theory]
    [InlineData("plain text, with {braces} and 'quotes'", "plain text, with {braces} and 'quotes'")]
    [InlineData("größe 日本 🙂", "größe 日本 🙂")]
    [InlineData("a\nb\r\tc", "a\\u000ab\\u000d\\u0009c")]
    [InlineData("\u001b[31mred", "\\u001b[31mred")]
    [InlineData("line\u2028separator", "line\\u2028separator")]
    [InlineData("abc\u202edef", "abc\\u202edef")]
    [InlineData("csi \u009b31m", "csi \\u009b31m")]
    public void S197_text_stays_on_one_line_and_commands_no_terminal(string text, string expected) =>
        Assert.Equal(expected, PrintableText.Escape(text));

    [Fact]
    public void Half_a_surrogate_pair_is_escaped() => Assert.Equal("x\\ud83dy", PrintableText.Escape("x" + '\ud83d' + "y"));

    [Fact]
    public void Long_value_is_cut_and_its_length_told()
    {
        string quoted = PrintableText.Quote(new string('a', 10_000));

        Assert.Equal($"'{new string('a', 64)}...' (10000 characters)", quoted);
    }
}
