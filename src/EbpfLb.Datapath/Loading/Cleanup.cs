// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Datapath.Loading;

/// <summary>Takes the datapath off the node: links first, then what they held. Touches nothing outside of our directory.</summary>
public static class Cleanup
{
    /// <param name="Links">Detached.</param>
    /// <param name="Programs">Unpinned.</param>
    /// <param name="Maps">Unpinned.</param>
    /// <param name="Foreign">Entries of the directory that are not ours; they were left, and with them the directory.</param>
    public sealed record Result(int Links, int Programs, int Maps, IReadOnlyList<string> Foreign);

    /// <exception cref="DatapathException">An agent is running.</exception>
    public static Result Run(PinDirectory pins)
    {
        ArgumentNullException.ThrowIfNull(pins);
        pins.Lock();
        int links = RemoveLinks(pins);
        int programs = Directory.Exists(pins.Programs)
            ? Directory.EnumerateDirectories(pins.Programs).Sum(directory => Directory.EnumerateFiles(directory).Count())
            : 0;
        ObjectLoader.RemoveTree(pins.Programs);
        ObjectLoader.RemoveTree(pins.Staging);
        int maps = RemoveMaps(pins);

        string[] foreign = [.. Directory.EnumerateFileSystemEntries(pins.Path)];
        if (foreign.Length == 0)
            Directory.Delete(pins.Path);
        return new Result(links, programs, maps, foreign);
    }

    // Detached first: without that a program stays until the last descriptor of its link is closed, whoever holds it.
    private static int RemoveLinks(PinDirectory pins)
    {
        if (!Directory.Exists(pins.Links))
            return 0;

        int removed = 0;
        foreach (string pin in Directory.GetFiles(pins.Links))
        {
            using (var link = BpfLink.OpenPinned(pin))
            {
                try
                {
                    link.Detach();
                }
                catch (LinuxException exception) when (exception.Errno is Errno.ENOLINK or Errno.ENOENT)
                {
                    // Its cgroup is gone, or somebody detached it: all that is left is the pin.
                }
            }

            File.Delete(pin);
            removed++;
        }

        Directory.Delete(pins.Links);
        return removed;
    }

    // Of any schema version: a newer or older agent's maps are ours as well.
    private static int RemoveMaps(PinDirectory pins)
    {
        int removed = 0;
        foreach (string pin in Directory.GetFiles(pins.Path).Where(path => Maps.MapNames.IsOurs(Path.GetFileName(path))))
        {
            File.Delete(pin);
            removed++;
        }

        return removed;
    }
}
