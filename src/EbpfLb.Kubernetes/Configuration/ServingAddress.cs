// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Net;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Configuration;

/// <summary>Where something answers HTTP.</summary>
/// <param name="Address">Null: nowhere.</param>
/// <param name="Port">Null: the usual one.</param>
public sealed record ServingAddress(IPAddress? Address, int? Port)
{
    public static ServingAddress None { get; } = new(null, null);

    /// <summary>ADDRESS:PORT, [ADDRESS]:PORT, an address alone; nothing, 0 or none: nowhere.</summary>
    public static ServingAddress? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text is "" or "0" or "none")
            return None;

        if (LoadBalancing.Model.Address.TryParse(text, out var alone))
            return new ServingAddress(alone.ToIPAddress(), null);

        int colon = text.LastIndexOf(':');
        if (colon < 0 || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
            return null;

        string host = text[..colon];
        bool bracketed = host is ['[', .., ']'];
        return LoadBalancing.Model.Address.TryParse(bracketed ? host[1..^1] : host, out var address)
            && bracketed == (address.Family == AddressFamily.IPv6)
            ? new ServingAddress(address.ToIPAddress(), port)
            : null;
    }
}
