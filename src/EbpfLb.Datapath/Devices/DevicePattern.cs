// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Devices;

/// <summary>A shell pattern for device names: <c>*</c>, <c>?</c>, <c>[a-c]</c>, <c>[!a]</c>; everything else stands for itself.</summary>
public sealed record DevicePattern
{
    private DevicePattern(string text) => Text = text;

    public string Text { get; }

    /// <summary>False for an empty text, a bracket without its end, and what no device name holds.</summary>
    public static bool TryParse(string text, out DevicePattern pattern)
    {
        ArgumentNullException.ThrowIfNull(text);
        pattern = new DevicePattern(text);
        if (text.Length == 0 || text.AsSpan().ContainsAny("/: \t"))
            return false;

        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '[')
                continue;

            i = EndOfSet(text, i);
            if (i < 0)
                return false;
        }

        return true;
    }

    public bool Matches(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        // Where the last star was, and how much of the name it has taken: on a mismatch it takes one more.
        int star = -1, taken = 0;
        int at = 0, position = 0;
        while (position < name.Length)
        {
            if (at < Text.Length && Text[at] == '*')
            {
                star = at++;
                taken = position;
            }
            else if (at < Text.Length && MatchesOne(name[position], ref at))
            {
                position++;
            }
            else if (star >= 0)
            {
                at = star + 1;
                position = ++taken;
            }
            else
            {
                return false;
            }
        }

        return Text.AsSpan(at).Trim('*').IsEmpty;
    }

    public override string ToString() => Text;

    // A bracket that comes first in the set is a member of it.
    private static int EndOfSet(string text, int start)
    {
        int from = start + (start + 1 < text.Length && text[start + 1] is '!' or '^' ? 3 : 2);
        return from > text.Length ? -1 : text.IndexOf(']', from);
    }

    private bool MatchesOne(char letter, ref int at)
    {
        if (Text[at] == '?')
        {
            at++;
            return true;
        }

        if (Text[at] != '[')
            return Text[at] == letter && at++ >= 0;

        int end = EndOfSet(Text, at);
        var set = Text.AsSpan(at + 1, end - at - 1);
        bool not = set[0] is '!' or '^';
        if (not)
            set = set[1..];
        bool found = false;
        for (int i = 0; i < set.Length; i++)
        {
            char first = set[i];
            bool isRange = i + 2 < set.Length && set[i + 1] == '-';
            char last = isRange ? set[i + 2] : first;
            found |= first <= letter && letter <= last;
            if (isRange)
                i += 2;
        }

        if (found == not)
            return false;

        at = end + 1;
        return true;
    }
}
