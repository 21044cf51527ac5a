// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;

namespace EbpfLb.Linux.Processes;

public static class Capabilities
{
#pragma warning disable CA1707 // C spelling, as in capabilities(7).
    public const int CAP_DAC_READ_SEARCH = 2;
    public const int CAP_SETPCAP = 8;
    public const int CAP_NET_BIND_SERVICE = 10;
    public const int CAP_NET_ADMIN = 12;
    public const int CAP_SYS_PTRACE = 19;
    public const int CAP_SYS_ADMIN = 21;
    public const int CAP_SYS_RESOURCE = 24;
    public const int CAP_PERFMON = 38;
    public const int CAP_BPF = 39;
#pragma warning restore CA1707

    /// <summary>Names of those that loading and attaching programs takes and this process lacks. CAP_SYS_ADMIN stands for all of them.</summary>
    public static IReadOnlyList<string> MissingForBpf()
    {
        (int Number, string Name)[] needed =
            [(CAP_BPF, nameof(CAP_BPF)), (CAP_NET_ADMIN, nameof(CAP_NET_ADMIN)), (CAP_PERFMON, nameof(CAP_PERFMON))];
        return HasEffective(CAP_SYS_ADMIN) ? [] : [.. needed.Where(cap => !HasEffective(cap.Number)).Select(cap => cap.Name)];
    }

    public static bool HasEffective(int cap) => (Read(File.ReadLines("/proc/self/status"), "CapEff:") >> cap & 1) != 0;

    /// <param name="field">With its colon, as /proc/PID/status has it.</param>
    internal static ulong Read(IEnumerable<string> status, string field)
    {
        foreach (string line in status)
        {
            if (line.StartsWith(field, StringComparison.Ordinal))
                return ulong.Parse(line.AsSpan(field.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }

        throw new InvalidDataException($"/proc/self/status has no line {field}");
    }
}
