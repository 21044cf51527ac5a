// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Translation;

/// <summary>Primes about a factor of two apart: each at least 100 times a number of backends that a service may have.</summary>
internal static class MaglevTableSizes
{
    public static IReadOnlyList<int> Allowed { get; } = [251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071];
}
