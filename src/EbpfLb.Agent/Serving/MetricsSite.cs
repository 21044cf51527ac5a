// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using EbpfLb.Agent.Metrics;

namespace EbpfLb.Agent.Serving;

/// <summary>What kube-proxy has at its metrics port, as far as it means something here.</summary>
/// <param name="settings">The effective options, by their names.</param>
internal sealed class MetricsSite(
    MetricRegistry registry, IReadOnlyList<KeyValuePair<string, string>> settings, string version, DateTimeOffset startedAt,
    TimeProvider time)
{
    /// <summary>None of kube-proxy's words, because whoever reads one looks for rules of that kind.</summary>
    public const string ProxyMode = "ebpf";

    public Answer? Get(string path) => path switch
    {
        "/metrics" => new Answer(200, Exposition.ContentType, registry.Write()),
        "/proxyMode" => Answer.Text(200, ProxyMode),
        "/healthz" => Answer.Text(200, "ok"),
        "/configz" => new Answer(200, Answer.Json, Configz()),
        "/flagz" => Answer.Text(200, Flagz()),
        "/statusz" => Answer.Text(200, Statusz()),
        _ => null,
    };

    private byte[] Configz()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("ebpflb");
            foreach (var (name, value) in settings)
                json.WriteString(name, value);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private string Flagz()
    {
        var text = new StringBuilder("ebpflb flagz\n\n");
        foreach (var (name, value) in settings)
            text.Append(name).Append('=').Append(value).Append('\n');
        return text.ToString();
    }

    private string Statusz() => string.Create(CultureInfo.InvariantCulture,
        $"ebpflb statusz\n\nStarted: {startedAt.UtcDateTime:R}\nUp: {time.GetUtcNow() - startedAt:d\\.hh\\:mm\\:ss}\n"
        + $"Runtime: {RuntimeInformation.FrameworkDescription}\nBinary version: {version}\n"
        + $"Paths: /configz /flagz /healthz /metrics /proxyMode /statusz\n");
}
