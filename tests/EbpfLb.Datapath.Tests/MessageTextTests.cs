// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;

namespace EbpfLb.Datapath.Tests;

public sealed class MessageTextTests
{
    private const int Size = 320;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Size - 1)]
    public void What_fits_is_as_it_was(int length)
    {
        MessageText message = new string('x', length);
        Assert.Equal(new string('x', length), message.ToString());
    }

    [Theory]
    [InlineData("x", Size)]
    [InlineData("x", 5000)]
    [InlineData("\u00e9", 200)]
    [InlineData("\U0001f600", 100)]
    public void What_is_cut_says_so_and_is_cut_at_a_character(string character, int count)
    {
        string text = string.Concat(Enumerable.Repeat(character, count));
        MessageText message = text;
        string shown = message.ToString();
        Assert.EndsWith("...", shown, StringComparison.Ordinal);
        Assert.StartsWith(shown[..^3], text, StringComparison.Ordinal);
        Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(shown), Size - 5, Size - 1);
    }
}
