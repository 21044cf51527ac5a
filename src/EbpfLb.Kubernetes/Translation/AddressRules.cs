// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Translation;

/// <summary>Which addresses a service and an endpoint may have.</summary>
internal static class AddressRules
{
    /// <returns>What the address is, when a service may not have it: "a multicast address".</returns>
    public static string? ReasonAgainstClusterIP(Address address) => Classify(address) is { } kind and not LinkLocal ? kind : null;

    /// <returns>What the address is, when a service may not have it as a load balancer address or an external IP. Link-local ones too:
    /// they would take what is meant for metadata servers.</returns>
    public static string? ReasonAgainstExternalAddress(Address address) => Classify(address);

    /// <returns>What the address is, when an endpoint may not have it. Link-local ones too: they would reach the node's own
    /// neighbours and metadata servers.</returns>
    public static string? ReasonAgainstEndpoint(Address address) => Classify(address);

    private const string LinkLocal = "a link-local address";

    private static string? Classify(Address address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.CopyTo(bytes);
        if (address.IsIPv4)
        {
            return bytes[12..] switch
            {
                [0, 0, 0, 0] => "the unspecified address",
                [255, 255, 255, 255] => "the broadcast address",
                [127, ..] => "a loopback address",
                [169, 254, ..] => LinkLocal,
                [>= 224 and <= 239, ..] => "a multicast address",
                _ => null,
            };
        }

        var ip = new IPAddress(bytes);
        return ip.Equals(IPAddress.IPv6Any) ? "the unspecified address"
            : ip.Equals(IPAddress.IPv6Loopback) ? "a loopback address"
            : ip.IsIPv6LinkLocal ? LinkLocal
            : ip.IsIPv6Multicast ? "a multicast address"
            : null;
    }
}
