// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Security.Cryptography;
using System.Text;
using EbpfLb.Bench.Comparison.Services;

namespace EbpfLb.Bench.Comparison.Rules;

/// <summary>Chains are named by hashes of what they are for, so that a name survives every change of another service.</summary>
internal static class RuleNames
{
    private const string Base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    /// <summary>As comments name it.</summary>
    public static string PortName(ComparedService service, ComparedPort port) => $"{ComparedService.Namespace}/{service.Name}:{port.Name}";

    public static string IptablesPort(string prefix, ComparedService service, ComparedPort port) =>
        prefix + Hash(PortName(service, port) + port.Protocol, 16);

    public static string IptablesEndpoint(ComparedService service, ComparedPort port, ComparedEndpoint endpoint) =>
        "KUBE-SEP-" + Hash($"{PortName(service, port)}{port.Protocol}{endpoint.Address}:{endpoint.Port}", 16);

    public static string NftablesPort(string prefix, ComparedService service, ComparedPort port)
    {
        string name = $"{ComparedService.Namespace}/{service.Name}/{port.Protocol}/{port.Name}";
        return $"{prefix}-{Hash(name, 8)}-{name}";
    }

    public static string Hash(string text, int length)
    {
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(text));
        return string.Create(length, hash, static (characters, bytes) =>
        {
            for (int i = 0; i < characters.Length; i++)
            {
                int bit = i * 5;
                int pair = bytes[bit / 8] << 8 | bytes[bit / 8 + 1];
                characters[i] = Base32[pair >> (11 - bit % 8) & 31];
            }
        });
    }
}
