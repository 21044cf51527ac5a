// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Api.Wire;

internal enum WireEncoding : byte
{
    None,
    Protobuf,
    Json,
}

internal static class WireEncodings
{
    public static WireEncoding Of(string? contentType)
    {
        var type = contentType.AsSpan();
        int parameters = type.IndexOf(';');
        type = (parameters < 0 ? type : type[..parameters]).Trim();
        return type.Equals("application/vnd.kubernetes.protobuf", StringComparison.OrdinalIgnoreCase) ? WireEncoding.Protobuf
            : type.Equals("application/json", StringComparison.OrdinalIgnoreCase) ? WireEncoding.Json
            : WireEncoding.None;
    }
}
