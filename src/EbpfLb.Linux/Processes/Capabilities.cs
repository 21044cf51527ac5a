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

    /// <summary>Names of those that loading and attaching programs takes and this process lacks. CAP_SYS_ADMIN stands for all of them.</summary>
    public static IReadOnlyList<string> MissingForBpf()
    {
        (int Number, string Name)[] needed =
            [(CAP_BPF, nameof(CAP_BPF)), (CAP_NET_ADMIN, nameof(CAP_NET_ADMIN)), (CAP_PERFMON, nameof(CAP_PERFMON))];
        return HasEffective(CAP_SYS_ADMIN) ? [] : [.. needed.Where(cap => !HasEffective(cap.Number)).Select(cap => cap.Name)];
    }

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
