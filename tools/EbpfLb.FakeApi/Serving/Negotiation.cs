// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.FakeApi.Faults;

namespace EbpfLb.FakeApi.Serving;

/// <summary>In which encoding to answer.</summary>
internal static class Negotiation
{
    public const string Protobuf = "application/vnd.kubernetes.protobuf";
    public const string Json = "application/json";

    /// <exception cref="ApiException">The client accepts none that there is.</exception>
    public static bool WantsProtobuf(string accept, bool available, FaultRule? rule)
    {
        available = available && rule is not { JsonOnly: true } and not { RefuseProtobuf: true };
        foreach (string entry in accept.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            string type = entry.Split(';')[0].Trim();
            if (type == Protobuf && available)
                return true;
            // What kubectl would rather have: a table made by the server. There is none, its next choice is served.
            if (type is Json or "application/*" or "*/*" && !entry.Contains("as=", StringComparison.Ordinal))
                return false;
        }
        if (accept.Length == 0 || rule is { JsonOnly: true })
            return false;
        throw new ApiException(new ApiStatus(
            406, "NotAcceptable", $"only the following media types are accepted: {Json}{(available ? ", " + Protobuf : "")}"));
    }
}
