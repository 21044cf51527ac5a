// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Kubernetes.Manifests.Tree;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Configuration;

/// <summary>What a setting holds, written in a file or typed on a line.</summary>
/// <param name="expected">As in "this is not ...".</param>
internal abstract class ValueKind(string expected)
{
    public static ValueKind Text { get; } = new ScalarValue("text", [ScalarKind.String], text => text);

    public static ValueKind Boolean { get; } = new ScalarValue("true or false", [ScalarKind.Boolean], ParseBoolean);

    public static ValueKind Number { get; } = new ScalarValue(
        "a number", [ScalarKind.Integer, ScalarKind.Float],
        text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : null);

    public static ValueKind Duration { get; } = new ScalarValue(
        "a duration such as 1m30s or 0s", [ScalarKind.String],
        text => GoDuration.TryParse(text, out var duration) && duration >= TimeSpan.Zero ? duration : null);

    /// <summary>Go's log flags know both.</summary>
    public static ValueKind DurationOrNanoseconds { get; } = new ScalarValue(
        "a duration such as 5s, or nanoseconds", [ScalarKind.String, ScalarKind.Integer],
        text => GoDuration.TryParse(text, out var duration) ? duration
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long count)
                ? TimeSpan.FromTicks(count / TimeSpan.NanosecondsPerTick) : null);

    public static ValueKind Quantity { get; } = new ScalarValue(
        "a quantity such as 64Ki", [ScalarKind.String, ScalarKind.Integer], text => text is "0" ? "" : text);

    public static ValueKind IpAddress { get; } = new ScalarValue(
        "an IP address", [ScalarKind.String],
        text => text.Length == 0 ? "" : Address.TryParse(text, out var address) ? address.ToIPAddress() : null);

    public static ValueKind Serving { get; } = new ScalarValue(
        "ADDRESS:PORT, [ADDRESS]:PORT, an address, or none", [ScalarKind.String], ServingAddress.Parse);

    public static ValueKind TextList { get; } = new ListValue((ScalarValue)Text);

    public static ValueKind NodePortAddresses { get; } = new ListValue(new ScalarValue(
        "a prefix such as 10.0.0.0/8, or the word primary alone", [ScalarKind.String],
        text => text == "primary" || AddressPrefix.TryParse(text, out _) ? text : null));

    public static ValueKind Gates { get; } = new MappingValue((ScalarValue)Boolean);

    /// <summary>Nothing in it is looked at.</summary>
    public static ValueKind Mappings { get; } = new AnyList();

    public string Expected => expected;

    public static ValueKind Integer(int min, int max) => new ScalarValue(
        $"a whole number from {min} to {max}", [ScalarKind.Integer],
        text => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)
            && number >= min && number <= max ? number : null);

    /// <returns>Null: the text is no such value.</returns>
    public abstract object? Parse(string text);

    /// <param name="refuse">Gets the node that is wrong and what it should be.</param>
    /// <returns>Null: the node, or one below it, was refused.</returns>
    public abstract object? Read(ManifestNode node, Action<ManifestNode, string> refuse);

    // Those that Go's flags know.
    private static object? ParseBoolean(string text) => text switch
    {
        "1" or "t" or "T" or "true" or "TRUE" or "True" => true,
        "0" or "f" or "F" or "false" or "FALSE" or "False" => false,
        _ => null,
    };

    private sealed class ScalarValue(string expected, ScalarKind[] kinds, Func<string, object?> parse) : ValueKind(expected)
    {
        public override object? Parse(string text) => parse(text);

        public override object? Read(ManifestNode node, Action<ManifestNode, string> refuse)
        {
            if (node is ManifestScalar scalar && kinds.Contains(scalar.Kind) && parse(Plain(scalar)) is { } value)
                return value;

            refuse(node, Expected);
            return null;
        }

        private static string Plain(ManifestScalar scalar) => scalar.Kind switch
        {
            ScalarKind.Boolean => PlainScalar.IsTrue(scalar.Text) ? "true" : "false",
            ScalarKind.Integer when PlainScalar.TryParseInteger(scalar.Text, out long number) =>
                number.ToString(CultureInfo.InvariantCulture),
            _ => scalar.Text,
        };
    }

    private sealed class ListValue(ScalarValue item) : ValueKind(item.Expected)
    {
        public override object? Parse(string text)
        {
            string[] items = text.Length == 0 ? [] : text.Split(',');
            return items.All(text => item.Parse(text) is not null) && IsRight(items) ? items : null;
        }

        public override object? Read(ManifestNode node, Action<ManifestNode, string> refuse)
        {
            if (node is not ManifestSequence sequence)
            {
                refuse(node, "a list");
                return null;
            }

            object?[] values = [.. sequence.Items.Select(value => item.Read(value, refuse))];
            if (values.Contains(null))
                return null;

            string[] items = [.. values.Cast<string>()];
            if (IsRight(items))
                return items;

            refuse(node, Expected);
            return null;
        }

        private static bool IsRight(string[] items) => items.Length < 2 || !items.Contains("primary");
    }

    private sealed class MappingValue(ScalarValue item) : ValueKind("NAME=" + item.Expected)
    {
        public override object? Parse(string text) => text.Length == 0 ? Array.Empty<string>() : text.Split(',');

        public override object? Read(ManifestNode node, Action<ManifestNode, string> refuse)
        {
            if (node is not ManifestMapping mapping)
            {
                refuse(node, "a mapping");
                return null;
            }

            bool right = true;
            foreach (var (_, value) in mapping.Entries)
                right &= item.Read(value, refuse) is not null;
            return right ? mapping.Entries.Select(entry => entry.Key).ToArray() : null;
        }
    }

    private sealed class AnyList() : ValueKind("a list")
    {
        public override object? Parse(string text) => text.Length == 0 ? Array.Empty<string>() : new[] { text };

        public override object? Read(ManifestNode node, Action<ManifestNode, string> refuse)
        {
            if (node is ManifestSequence sequence)
                return new string[sequence.Items.Count];

            refuse(node, Expected);
            return null;
        }
    }
}
