// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Devices;
using EbpfLb.Linux;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Processes;
using Microsoft.Extensions.Logging.Abstractions;

namespace EbpfLb.Datapath.Loading;

/// <summary>Takes the datapath off the node: links first, then what they held. Touches nothing outside of our directory.</summary>
public static class Cleanup
{
    /// <param name="Links">Detached; filters of tc too.</param>
    /// <param name="Programs">Unpinned.</param>
    /// <param name="Maps">Unpinned.</param>
    /// <param name="Foreign">Entries of the directory that are not ours; they were left, and with them the directory.</param>
    public sealed record Result(int Links, int Programs, int Maps, IReadOnlyList<string> Foreign);

    /// <exception cref="DatapathException">An agent is running, or this is not the network namespace of its filters.</exception>
    public static Result Run(PinDirectory pins)
    {
        ArgumentNullException.ThrowIfNull(pins);
        pins.Lock("Stop it first.");
        RequireNamespaceOfFilters(pins);
        var foreign = new List<string>();
        int links = RemoveLinks(pins, foreign) + RemoveFilters(pins);
        int programs = Directory.Exists(pins.Programs)
            ? Directory.EnumerateDirectories(pins.Programs).Sum(directory => Directory.EnumerateFiles(directory).Count())
            : 0;
        ObjectLoader.RemoveTree(pins.Programs);
        ObjectLoader.RemoveTree(pins.Staging);
        ObjectLoader.RemoveTree(pins.Next);
        int maps = RemoveMaps(pins);

        foreign.AddRange(Directory.EnumerateFileSystemEntries(pins.Path).Where(path => path != pins.Links && path != pins.Filters));
        if (Directory.Exists(pins.Filters))
            foreign.AddRange(Directory.EnumerateFileSystemEntries(pins.Filters));
        if (foreign.Count == 0)
            Directory.Delete(pins.Path);
        return new Result(links, programs, maps, foreign);
    }

    // Detached first: without that a program stays until the last descriptor of its link is closed, whoever holds it.
    private static int RemoveLinks(PinDirectory pins, List<string> foreign)
    {
        if (!Directory.Exists(pins.Links))
            return 0;

        int removed = 0;
        foreach (string pin in Directory.GetFiles(pins.Links))
        {
            if (!TryDetach(pin))
            {
                foreign.Add(pin);
                continue;
            }

            File.Delete(pin);
            removed++;
        }

        if (foreign.Count == 0)
            Directory.Delete(pins.Links);
        return removed;
    }

    // A link is detached from anywhere, a filter from within its network namespace alone.
    private static void RequireNamespaceOfFilters(PinDirectory pins)
    {
        if (!FiltersOf(pins).Pins().Any())
            return;

        ulong node;
        using (var maps = Maps.KernelMaps.Open(pins.Path, writable: false))
            node = maps.Settings.Get<SettingsValue>(0).NodeNetns;
        if (node != 0 && node != NetworkNamespace.CurrentCookie())
        {
            throw new DatapathException(
                $"{pins.Filters} names tc filters in the network namespace that the agent ran in, and this is another. Run the cleanup there "
                + "(nsenter --net=...), as on the node's host. Nothing was removed.");
        }
    }

    private static int RemoveFilters(PinDirectory pins)
    {
        var filters = FiltersOf(pins);
        int removed = filters.Pins().ToArray().Count(filters.TryRemove);
        if (Directory.Exists(pins.Filters) && !Directory.EnumerateFileSystemEntries(pins.Filters).Any())
            Directory.Delete(pins.Filters);
        return removed;
    }

    private static ClsactHold FiltersOf(PinDirectory pins) => new(pins.Filters, NullLogger.Instance);

    // False when something else than a link is pinned there.
    private static bool TryDetach(string pin)
    {
        try
        {
            using var link = BpfLink.OpenPinned(pin);
            Detach(link);
            return true;
        }
        catch (LinuxException exception) when (exception.Errno == Errno.EINVAL)
        {
            return false;
        }
    }

    internal static void Detach(BpfLink link)
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
