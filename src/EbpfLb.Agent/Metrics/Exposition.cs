// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text;

namespace EbpfLb.Agent.Metrics;

/// <summary>The text format of Prometheus, 0.0.4, as it is written.</summary>
internal sealed class Exposition
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _text = new();

    public static string Number(double value) => double.IsPositiveInfinity(value) ? "+Inf"
        : double.IsNegativeInfinity(value) ? "-Inf"
        : value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>name="value" pairs with a comma between.</summary>
    public static string Labels(ReadOnlySpan<string> names, ReadOnlySpan<string> values)
    {
        var text = new StringBuilder();
        for (int i = 0; i < names.Length; i++)
            Escape(text.Append(i == 0 ? "" : ",").Append(names[i]).Append("=\""), values[i], quotes: true).Append('"');
        return text.ToString();
    }

    /// <summary>To be followed by the samples of this name.</summary>
    public void Family(string name, string type, string help)
    {
        Escape(_text.Append("# HELP ").Append(name).Append(' '), help, quotes: false).Append('\n');
        _text.Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');
    }

    /// <summary>A family of one series.</summary>
    public void Gauge(string name, string help, double value)
    {
        Family(name, "gauge", help);
        Sample(name, "", value);
    }

    public void Sample(string name, string labels, double value) => Begin(name, labels).Append(Number(value)).Append('\n');

    public void Sample(string name, string labels, long value) =>
        Begin(name, labels).Append(CultureInfo.InvariantCulture, $"{value}\n");

    public void Sample(string name, string labels, ulong value) =>
        Begin(name, labels).Append(CultureInfo.InvariantCulture, $"{value}\n");

    public byte[] ToUtf8() => Encoding.UTF8.GetBytes(_text.ToString());

    private StringBuilder Begin(string name, string labels)
    {
        _text.Append(name);
        return labels.Length == 0 ? _text.Append(' ') : _text.Append('{').Append(labels).Append("} ");
    }

    private static StringBuilder Escape(StringBuilder text, string value, bool quotes)
    {
        foreach (char character in value)
        {
            _ = character switch
            {
                '\\' => text.Append("\\\\"),
                '\n' => text.Append("\\n"),
                '"' when quotes => text.Append("\\\""),
                _ => text.Append(character),
            };
        }

        return text;
    }
}
