// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;

namespace EbpfLb.Linux.Processes;

public static class Capabilities
{
#pragma warning disable CA1707 // C spelling, as in capabilities(7).
    public const int CAP_NET_ADMIN = 12;
    public const int CAP_SYS_ADMIN = 21;
    public const int CAP_SYS_RESOURCE = 24;
    public const int CAP_PERFMON = 38;
    public const int CAP_BPF = 39;
#pragma warning restore CA1707

    private const string Field = "CapEff:";

    public static bool HasEffective(int cap) => (ReadEffective(File.ReadLines("/proc/self/status")) >> cap & 1) != 0;

    internal static ulong ReadEffective(IEnumerable<string> status)
    {
        foreach (string line in status)
        {
            if (line.StartsWith(Field, StringComparison.Ordinal))
                return ulong.Parse(line.AsSpan(Field.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }

        throw new InvalidDataException($"/proc/self/status has no line {Field}");
    }
}
