// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Conntrack;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Devices;
using EbpfLb.Datapath.Inspection;
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux.Netlink;
using EbpfLb.Linux.Processes;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Audit;

/// <summary>settings_v1, node_addrs_v1 and devices_v1 against this node and what was set. The last two only in the node's network namespace.</summary>
internal static class NetworkAudit
{
    // What a driver takes may have changed since it was last asked.
    private const DeviceFlags Asked = DeviceFlags.XdpSends | DeviceFlags.XdpTurns;

    public static IReadOnlyList<Divergence> Find(PinDirectory pins, KernelMaps maps, DeviceOptions devices, FlowSettings flows)
    {
        var found = new List<Divergence>();
        var settings = NodeSettings.WithoutOthers(maps.Settings.Get<SettingsValue>(0));
        var wanted = NodeSettings.ValueOf(flows, settings.NodeNetns);
        if (settings != wanted)
            found.Add(new Divergence(MapNames.Settings, DivergenceKind.Changed, "flows", "", Text(wanted), Text(settings)));
        if (settings.NodeNetns != NetworkNamespace.CurrentCookie())
            return found;

        var picture = new NetworkPicture();
        picture.Replace(NetworkDump.Links(), NetworkDump.Addresses(), NetworkDump.Routes(), NetworkDump.Neighbors());
        Compare(
            found, MapNames.NodeAddresses, NodeAddresses.Local(picture, devices), maps.NodeAddresses.ReadAll().ToDictionary(entry => entry.Key, entry => entry.Value.Flags),
            address => address.ToString(), flags => flags.ToString());
        var attached = DeviceView.ReadAll(pins, maps).Where(device => device.IsAttached).Select(device => (int)device.Index).ToHashSet();
        Compare(
            found, MapNames.Devices, Comparable(NodeAddresses.Devices(picture, devices, attached, new HashSet<int>())), Comparable(maps.Devices.ReadAll()),
            index => picture.Links.TryGetValue((int)index, out var link) ? link.Name : $"index {index}", Text);
        return found;
    }

    private static Dictionary<uint, DeviceValue> Comparable(IEnumerable<KeyValuePair<uint, DeviceValue>> devices) =>
        devices.ToDictionary(entry => entry.Key, entry => entry.Value with { Flags = entry.Value.Flags & ~Asked });

    private static void Compare<TKey, TValue>(
        List<Divergence> found, string map, Dictionary<TKey, TValue> wanted, Dictionary<TKey, TValue> actual, Func<TKey, string> key,
        Func<TValue, string> text)
        where TKey : notnull
        where TValue : notnull
    {
        foreach (var (one, value) in wanted)
        {
            if (!actual.TryGetValue(one, out var there))
                found.Add(new Divergence(map, DivergenceKind.Missing, key(one), "", text(value)));
            else if (!there.Equals(value))
                found.Add(new Divergence(map, DivergenceKind.Changed, key(one), "", text(value), text(there)));
        }

        foreach (var (one, value) in actual.Where(entry => !wanted.ContainsKey(entry.Key)))
            found.Add(new Divergence(map, DivergenceKind.Extra, key(one), "", "", text(value)));
    }

    private static string Text(DeviceValue device) =>
        $"{Text(device.SourceV4)} {Text(device.SourceV6)} mac {device.Mac} mtu {device.Mtu} {device.Flags}";

    private static string Text(Address address) => address == default ? "-" : address.ToString();

    private static string Text(SettingsValue value) =>
        $"SNAT ports {value.SnatPortFirst}-{value.SnatPortLast}, tcp {value.TcpSynSeconds}/{value.TcpEstablishedSeconds}/{value.TcpFinSeconds}/"
        + $"{value.TcpClosedSeconds} s, udp {value.UdpSeconds} s, sctp {value.SctpSeconds} s, pair check {value.PairCheckMs} ms, "
        + $"{value.RepliesPerSecond} replies/s, {value.Flags}";
}
