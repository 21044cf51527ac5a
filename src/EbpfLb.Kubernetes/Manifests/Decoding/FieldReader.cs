// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Kubernetes.Manifests.Tree;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Manifests.Decoding;

/// <summary>
/// Typed fields of one object's tree, as strict about types as the API server is: a number where text belongs is refused, not
/// converted. Null and absent are the same. A value of the wrong type is a problem and reads as null.
/// </summary>
internal sealed class FieldReader(ManifestMapping root, TextPool texts, ProblemList problems)
{
    private static readonly ManifestMapping Empty = new(0, 0);

    public ManifestMapping Root => root;

    public string? Text(ManifestMapping parent, string key) => Present(parent, key) is { } node ? TextOf(node) : null;

    /// <summary>For a text that many objects have in common.</summary>
    public string? SharedText(ManifestMapping parent, string key) => texts.Share(Text(parent, key));

    public int? Integer(ManifestMapping parent, string key)
    {
        switch (Present(parent, key))
        {
            case null:
                return null;
            case ManifestScalar { Kind: ScalarKind.Integer } scalar when TryParse(scalar.Text, out int value):
                return value;
            case ManifestScalar { Kind: ScalarKind.Integer } scalar:
                return Refuse<int?>(scalar, $"{scalar.Text} does not fit into 32 bits");
            case var other:
                return Refuse<int?>(other, $"must be a whole number, not {other.Description}");
        }
    }

    public bool? Boolean(ManifestMapping parent, string key)
    {
        switch (Present(parent, key))
        {
            case null:
                return null;
            case ManifestScalar { Kind: ScalarKind.Boolean } scalar:
                return PlainScalar.IsTrue(scalar.Text);
            case var other:
                return Refuse<bool?>(other, $"must be true or false, not {other.Description}");
        }
    }

    public DateTimeOffset? Time(ManifestMapping parent, string key)
    {
        if (Text(parent, key) is not { } text)
            return null;

        if (DateTimeOffset.TryParseExact(text, ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"], CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal, out var time) && (text.EndsWith('Z') || text[^6] is '+' or '-'))
            return time;

        return Refuse<DateTimeOffset?>(parent.Find(key)!,
            $"{PrintableText.Quote(text)} is not a time; expected the form 2026-01-31T12:00:00Z");
    }

    /// <returns>The mapping below the key; an empty one when there is none.</returns>
    public ManifestMapping Mapping(ManifestMapping parent, string key) => Present(parent, key) switch
    {
        null => Empty,
        ManifestMapping mapping => mapping,
        var other => Refuse<ManifestMapping>(other, $"must be a mapping, not {other.Description}") ?? Empty,
    };

    /// <returns>One result for each item of the list below the key, so that indices stay what they are; null without a list.</returns>
    public IReadOnlyList<T>? List<T>(ManifestMapping parent, string key, Func<ManifestNode, T> read)
    {
        switch (Present(parent, key))
        {
            case null:
                return null;
            case ManifestSequence sequence:
                var items = new T[sequence.Items.Count];
                for (int i = 0; i < items.Length; i++)
                    items[i] = read(sequence.Items[i]);
                return items;
            case var other:
                return Refuse<IReadOnlyList<T>>(other, $"must be a list, not {other.Description}");
        }
    }

    public IReadOnlyList<T>? Mappings<T>(ManifestMapping parent, string key, Func<ManifestMapping, T> read) =>
        List(parent, key, node => read(node switch
        {
            ManifestMapping mapping => mapping,
            { IsNull: true } => Empty,
            _ => Refuse<ManifestMapping>(node, $"must be a mapping, not {node.Description}") ?? Empty,
        }));

    public IReadOnlyList<string>? Texts(ManifestMapping parent, string key) => List(parent, key, node => TextOf(node) ?? "");

    /// <summary>Those entries of a map of texts that are wanted; a null value counts as empty text, as the API has it.</summary>
    public IReadOnlyDictionary<string, string>? Entries(ManifestMapping parent, string key, IReadOnlySet<string> wanted)
    {
        Dictionary<string, string>? found = null;
        foreach (var (name, node) in Mapping(parent, key).Entries)
        {
            if (wanted.Contains(name))
                (found ??= new(StringComparer.Ordinal))[name] = texts.Share(node.IsNull ? "" : TextOf(node) ?? "")!;
        }

        return found;
    }

    private static ManifestNode? Present(ManifestMapping parent, string key) =>
        parent.Find(key) is { IsNull: false } node ? node : null;

    private static bool TryParse(string text, out int value)
    {
        bool fits = PlainScalar.TryParseInteger(text, out long number) && number is >= int.MinValue and <= int.MaxValue;
        value = fits ? (int)number : 0;
        return fits;
    }

    private string? TextOf(ManifestNode node) => node switch
    {
        ManifestScalar { Kind: ScalarKind.String } scalar => scalar.Text,
        ManifestScalar => Refuse<string>(node, $"must be text, not {node.Description}; put it in quotes"),
        _ => Refuse<string>(node, $"must be text, not {node.Description}"),
    };

    private T? Refuse<T>(ManifestNode node, string message)
    {
        // Beyond the limit the path would not be kept; finding it for each of a million bad values would take minutes.
        problems.Invalid(problems.InvalidCount < ProblemList.Limit ? FieldPaths.PathOf(root, node) : "", message);
        return default;
    }
}
