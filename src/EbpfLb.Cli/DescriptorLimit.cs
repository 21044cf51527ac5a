// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace EbpfLb.Cli;

/// <summary>
/// Whether this process may open as many files as the runtime and the agent do. Where it may not, the runtime fails to load its own parts,
/// the console among them: so this comes first, and uses none of them.
/// </summary>
internal static class DescriptorLimit
{
    private const int Least = 256;

    public static bool IsEnough()
    {
        // "Max open files    1024    1048576    files"; the runtime raises the first number to the second.
        string[]? fields = File.Exists("/proc/self/limits")
            ? File.ReadLines("/proc/self/limits").FirstOrDefault(line => line.StartsWith("Max open files", StringComparison.Ordinal))
                ?.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            : null;
        if (fields is not [_, _, _, _, var hard, ..]
            || !int.TryParse(hard, NumberStyles.None, CultureInfo.InvariantCulture, out int limit) || limit >= Least)
            return true;

        using var error = new FileStream(new SafeFileHandle(2, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        error.Write(Encoding.UTF8.GetBytes(
            $"error: This process may have {limit} files open, and ebpflb takes up to {Least}. Raise the limit (ulimit -n; in a systemd unit: "
            + "LimitNOFILE).\n"));
        return false;
    }
}
