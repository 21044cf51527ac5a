// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.FakeApi.Store;

/// <summary>Which objects a request is about.</summary>
public sealed class Selection
{
    private readonly List<Requirement> _labels;
    private readonly List<Requirement> _fields;

    private Selection(string @namespace, List<Requirement> labels, List<Requirement> fields)
    {
        (Namespace, _labels, _fields) = (@namespace, labels, fields);
    }

    /// <summary>Empty for all of them.</summary>
    public string Namespace { get; }

    /// <exception cref="FormatException">A selector is none.</exception>
    public static Selection Parse(string @namespace, string labelSelector, string fieldSelector) =>
        new(@namespace, [.. Split(labelSelector).Select(Requirement.Parse)], [.. Split(fieldSelector).Select(Requirement.Parse)]);

    public bool Matches(StoredObject item) =>
        (Namespace.Length == 0 || Namespace == item.Namespace)
        && _labels.TrueForAll(requirement => requirement.Matches(item.Labels.GetValueOrDefault(requirement.Key)))
        && _fields.TrueForAll(requirement => requirement.Matches(item.Field(requirement.Key) ?? ""));

    // Commas within parentheses belong to a set.
    private static IEnumerable<string> Split(string selector)
    {
        int start = 0;
        int depth = 0;
        for (int index = 0; index <= selector.Length; index++)
        {
            char next = index == selector.Length ? ',' : selector[index];
            depth += next == '(' ? 1 : next == ')' ? -1 : 0;
            if (next != ',' || (depth > 0 && index < selector.Length))
                continue;
            if (selector[start..index].Trim() is { Length: > 0 } part)
                yield return part;
            start = index + 1;
        }
    }

    /// <param name="Values">Null: whether the key is there is all that matters.</param>
    private sealed record Requirement(string Key, bool Wanted, string[]? Values)
    {
        public static Requirement Parse(string text)
        {
            string[] words = text.Split((char[])[' ', '(', ')'], 3, StringSplitOptions.RemoveEmptyEntries);
            if (words is [var key, "in" or "notin", var set])
                return new(key, words[1] == "in", [.. set.TrimEnd(')').Split(',').Select(value => value.Trim())]);
            foreach (string sign in (string[])["!=", "==", "="])
            {
                int at = text.IndexOf(sign, StringComparison.Ordinal);
                if (at > 0)
                    return new(text[..at].Trim(), sign != "!=", [text[(at + sign.Length)..].Trim()]);
            }
            if (words.Length != 1 || text.Contains('=', StringComparison.Ordinal))
                throw new FormatException($"found '{text}', expected: !, identifier, or 'end of string'");
            return new(text.TrimStart('!').Trim(), !text.StartsWith('!'), null);
        }

        public bool Matches(string? value) =>
            Values is null ? value is not null == Wanted : (value is not null && Values.Contains(value)) == Wanted;
    }
}
