// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;

namespace EbpfLb.Linux.Processes;

/// <summary>CPUs that may ever come online: the copies of a value in a per-CPU map. Fixed at boot.</summary>
public static class PossibleCpus
{
    public static int Count { get; } = Parse(File.ReadAllText("/sys/devices/system/cpu/possible"));

    /// <summary>Ranges such as "0-3,8"; the kernel counts up to the highest.</summary>
    internal static int Parse(string ranges)
    {
        string last = ranges.Trim().Split(',')[^1].Split('-')[^1];
        return int.Parse(last, NumberStyles.None, CultureInfo.InvariantCulture) + 1;
    }
}
