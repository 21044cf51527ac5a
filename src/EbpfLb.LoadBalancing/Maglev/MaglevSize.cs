// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;

namespace EbpfLb.LoadBalancing.Maglev;

/// <summary>Sizes a Maglev table may have. All are prime, or a backend's permutation would not reach every slot.</summary>
public static class MaglevSize
{
    /// <summary>Fewer slots than this for each backend, and the shares become uneven and removals move more than they should.</summary>
    public const int SlotsPerBackend = 100;

    public static ReadOnlySpan<int> Allowed => [251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071];

    public static int Largest => Allowed[^1];

    public static string AllowedText =>
        string.Join(", ", Allowed.ToArray().Select(static size => size.ToString(CultureInfo.InvariantCulture)));

    public static bool IsAllowed(int size) => Allowed.Contains(size);

    /// <summary>The smallest allowed size with <see cref="SlotsPerBackend"/> slots for each backend; the largest if none has.</summary>
    public static int Adaptive(int backends) => SmallestFor((long)backends * SlotsPerBackend);

    /// <param name="configured">0 for adaptive. Anything that is not allowed counts as 0: whoever read it has refused it.</param>
    /// <param name="backends">Of the longest list the table is for.</param>
    /// <param name="tooSmall">
    /// The configured size has fewer slots than there are backends. The result is then the smallest that has a slot for each: a backend
    /// that is ready and never asked is worse than a larger table. Also true when no size is large enough.
    /// </param>
    public static int Resolve(int configured, int backends, out bool tooSmall)
    {
        int size = IsAllowed(configured) ? configured : Adaptive(backends);
        tooSmall = size < backends;
        return tooSmall ? SmallestFor(backends) : size;
    }

    private static int SmallestFor(long slots)
    {
        foreach (int size in Allowed)
        {
            if (size >= slots)
                return size;
        }

        return Largest;
    }
}
