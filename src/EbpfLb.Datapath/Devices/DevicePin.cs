// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;

namespace EbpfLb.Datapath.Devices;

/// <summary>The file name of a pinned link. By index: a device may get another name. No dot, which a BPF file system refuses.</summary>
public readonly record struct DevicePin(DeviceHook Hook, int InterfaceIndex)
{
    public string FileName => string.Create(CultureInfo.InvariantCulture, $"{Prefix(Hook)}{InterfaceIndex}");

    /// <summary>Of a program that is in place as a filter. There are none for XDP.</summary>
    public string FilterFileName => string.Create(CultureInfo.InvariantCulture, $"{FilterPrefix(Hook)}{InterfaceIndex}");

    public static bool TryParse(string fileName, out DevicePin pin) =>
        TryParse(fileName, Enum.GetValues<DeviceHook>(), Prefix, out pin);

    public static bool TryParseFilter(string fileName, out DevicePin pin) =>
        TryParse(fileName, [DeviceHook.TcxIngress, DeviceHook.TcxPod, DeviceHook.TcxEgress], FilterPrefix, out pin);

    private static bool TryParse(string fileName, DeviceHook[] hooks, Func<DeviceHook, string> prefixOf, out DevicePin pin)
    {
        ArgumentNullException.ThrowIfNull(fileName);
        foreach (var hook in hooks)
        {
            string prefix = prefixOf(hook);
            if (!fileName.StartsWith(prefix, StringComparison.Ordinal)
                || !int.TryParse(fileName.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int index))
                continue;

            pin = new DevicePin(hook, index);
            return $"{prefix}{index.ToString(CultureInfo.InvariantCulture)}" == fileName;
        }

        pin = default;
        return false;
    }

    private static string FilterPrefix(DeviceHook hook) => hook switch
    {
        DeviceHook.TcxIngress => "in_",
        DeviceHook.TcxPod => "pod_",
        _ => "out_",
    };

    private static string Prefix(DeviceHook hook) => hook switch
    {
        DeviceHook.Xdp => "xdp_",
        DeviceHook.TcxIngress => "tcx_in_",
        DeviceHook.TcxPod => "tcx_pod_",
        _ => "tcx_out_",
    };
}
