// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace EbpfLb.Agent.Health;

/// <param name="LastUpdated">When a run last ended; null before the first.</param>
internal readonly record struct HealthReport(DateTimeOffset? LastUpdated, DateTimeOffset CurrentTime, bool IsHealthy)
{
    /// <summary>As kube-proxy writes it, to the byte: tools compare.</summary>
    /// <param name="nodeEligible">Null on /livez, which does not ask.</param>
    public byte[] ToJson(bool? nodeEligible)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            // Healthy says "now": readers of old took this for the time the loop last ran, even when there was nothing to do.
            json.WriteString("lastUpdated", IsHealthy && nodeEligible is not false ? Text(CurrentTime) : Text(LastUpdated ?? default));
            json.WriteString("currentTime", Text(CurrentTime));
            if (nodeEligible is { } eligible)
                json.WriteBoolean("nodeEligible", eligible);
            json.WriteBoolean("healthy", IsHealthy);
            if (LastUpdated is { } updated)
            {
                json.WriteStartObject("status");
                // One loop writes both families.
                foreach (string family in (string[])["IPv4", "IPv6"])
                {
                    json.WriteStartObject(family);
                    json.WriteString("lastUpdated", Text(updated));
                    json.WriteBoolean("healthy", IsHealthy);
                    json.WriteEndObject();
                }

                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    // RFC 3339 with as many digits of a second as are not zero.
    private static string Text(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);
}
