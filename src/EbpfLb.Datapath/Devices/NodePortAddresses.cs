// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics.CodeAnalysis;
using System.Net;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Devices;

/// <summary>Which of the node's addresses answer NodePorts.</summary>
/// <param name="Primary">Only the node's own address of each family.</param>
/// <param name="Prefixes">Only those in one of them; empty: all.</param>
public sealed record NodePortAddresses(bool Primary, IReadOnlyList<IPNetwork> Prefixes)
{
    public static NodePortAddresses All { get; } = new(false, []);

    public bool Admits(Address address) => Prefixes.Count == 0 || Prefixes.Any(prefix => prefix.Contains(address.ToIPAddress()));

    /// <summary>Bits after the prefix are ignored, as kube-proxy does.</summary>
    public static bool TryParsePrefix(string text, [NotNullWhen(true)] out IPNetwork? prefix)
    {
        ArgumentNullException.ThrowIfNull(text);
        prefix = null;
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !Address.TryParse(text[..slash], out var address)
            || !byte.TryParse(text.AsSpan(slash + 1), System.Globalization.NumberStyles.None, null, out byte length))
            return false;

        var ip = address.ToIPAddress();
        byte[] bytes = ip.GetAddressBytes();
        if (length > bytes.Length * 8)
            return false;

        for (int bit = length; bit < bytes.Length * 8; bit++)
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        prefix = new IPNetwork(new IPAddress(bytes), length);
        return true;
    }
}
