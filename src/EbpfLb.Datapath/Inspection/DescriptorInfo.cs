// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;

namespace EbpfLb.Datapath.Inspection;

/// <summary>What the kernel tells of an open BPF object in the fdinfo of any of its descriptors, and nowhere else.</summary>
internal static class DescriptorInfo
{
    /// <param name="idName">The line that has the id: "map_id", "link_id".</param>
    /// <param name="id">Of an object that this process has open.</param>
    /// <param name="name">The line whose number is wanted.</param>
    /// <returns>Null when this kernel has no such line.</returns>
    public static ulong? Find(string idName, uint id, string name)
    {
        string wanted = string.Create(CultureInfo.InvariantCulture, $"{idName}:\t{id}");
        string prefix = name + ":";
        foreach (string path in Directory.EnumerateFiles("/proc/self/fdinfo"))
        {
            try
            {
                string[] lines = File.ReadAllLines(path);
                if (lines.Contains(wanted)
                    && lines.FirstOrDefault(line => line.StartsWith(prefix, StringComparison.Ordinal)) is { } line
                    && ulong.TryParse(line.AsSpan(prefix.Length).Trim(), CultureInfo.InvariantCulture, out ulong number))
                    return number;
            }
            catch (IOException)
            {
                // Another thread closed the descriptor since the directory was read.
            }
        }

        return null;
    }
}
