// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Net;
using EbpfLb.Datapath.Conntrack;
using EbpfLb.Datapath.Devices;
using EbpfLb.Kubernetes.Configuration;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Cli.Commands;

/// <summary>Those of the packet path.</summary>
internal sealed partial record AgentSettings
{
    public const string XdpModes = "auto|native|generic|off";
    public const string Primary = "primary";
    public const string Off = "off";

    private static readonly AddressPrefix[] Families = [AddressPrefix.Parse("0.0.0.0/0"), AddressPrefix.Parse("::/0")];

    public string? Devices { get; init; }

    public string? PodDevices { get; init; }

    public string? Xdp { get; init; }

    public string? NodeIp { get; init; }

    public string? NodePortAddresses { get; init; }

    public bool ExternalClusterIPs { get; init; }

    public bool AllowNodeExternalIPs { get; init; }

    public string? SnatPorts { get; init; }

    public string? ConntrackTimeouts { get; init; }

    public string? DeadBackendGrace { get; init; }

    private DeviceOptions ParseDevices(KubeProxyConfiguration kubeProxy, List<string> errors, List<string> warnings) => new()
    {
        Devices = Devices is null ? null : ParsePatterns("--devices", Devices, errors),
        PodDevices = PodDevices is null ? [] : ParsePatterns("--pod-devices", PodDevices, errors),
        Xdp = ParseXdp(errors),
        NodeAddresses = NodeIp is null ? NodeAddressOf(kubeProxy, warnings) : ParseNodeIp(errors),
        NodePorts = ParseNodePortAddresses(kubeProxy, errors),
    };

    private static List<DevicePattern> ParsePatterns(string option, string list, List<string> errors)
    {
        var patterns = new List<DevicePattern>();
        if (list == DeviceOptions.None)
            return patterns;

        foreach (string text in list.Split(','))
        {
            if (text == DeviceOptions.None)
                errors.Add($"{option} {list}: '{DeviceOptions.None}' stands alone. Leave it out, or the others.");
            else if (DevicePattern.TryParse(text, out var pattern))
                patterns.Add(pattern);
            else
            {
                errors.Add(
                    $"{option} {list}: '{text}' is no pattern for device names. Write them as a shell does, such as eth*,bond0; or none.");
            }
        }

        return patterns;
    }

    private XdpChoice ParseXdp(List<string> errors)
    {
        switch (Xdp)
        {
            case null or "auto":
                return XdpChoice.Auto;
            case "native":
                return XdpChoice.Native;
            case "generic":
                return XdpChoice.Generic;
            case "off":
                return XdpChoice.Off;
            default:
                errors.Add($"--xdp {Xdp}: there is no such mode. Use one of {XdpModes}.");
                return default;
        }
    }

    private List<Address> ParseNodeIp(List<string> errors)
    {
        var addresses = new List<Address>();
        foreach (string text in NodeIp?.Split(',') ?? [])
        {
            if (Address.TryParse(text, out var address) && !IPAddress.IsLoopback(address.ToIPAddress()))
                addresses.Add(address);
            else
            {
                errors.Add(
                    $"--node-ip {NodeIp}: '{text}' is no address that other nodes can reach. Write one of each family: "
                    + "192.0.2.10,2001:db8::10.");
            }
        }

        return addresses;
    }

    private static List<Address> NodeAddressOf(KubeProxyConfiguration kubeProxy, List<string> warnings)
    {
        var told = kubeProxy.BindAddress;
        if (told is null || told.Equals(IPAddress.Any) || told.Equals(IPAddress.IPv6Any))
            return [];

        if (!IPAddress.IsLoopback(told))
            return [Address.From(told)];

        warnings.Add(
            $"the bind address {told} cannot be the node's own, as other nodes do not reach it; --node-ip names another, else it is found");
        return [];
    }

    private NodePortAddresses ParseNodePortAddresses(KubeProxyConfiguration kubeProxy, List<string> errors)
    {
        string[] texts = NodePortAddresses is not null ? NodePortAddresses.Split(',') : [.. kubeProxy.NodePortAddresses ?? []];
        // With nftables, kube-proxy has them on fewer addresses from the start.
        if (texts is [Primary] || (texts.Length == 0 && kubeProxy.Mode == "nftables"))
            return new NodePortAddresses(Primary: true, []);
        if (texts.Length == 0)
            return Datapath.Devices.NodePortAddresses.All;

        var prefixes = new List<AddressPrefix>();
        foreach (string text in texts)
        {
            if (AddressPrefix.TryParse(text, out var prefix))
                prefixes.Add(prefix);
            else
            {
                errors.Add(
                    $"--nodeport-addresses {NodePortAddresses}: '{text}' is no prefix. Write CIDR,... such as 10.0.0.0/8,fd00::/8, "
                    + $"or {Primary}.");
            }
        }

        // As for kube-proxy, a family that is not named is not limited.
        foreach (var whole in Families)
        {
            if (!prefixes.Exists(prefix => prefix.Family == whole.Family))
                prefixes.Add(whole);
        }

        return new NodePortAddresses(Primary: false, prefixes);
    }

    private FlowSettings ParseFlows(List<string> errors)
    {
        var flows = new FlowSettings { ExternalClusterIPs = ExternalClusterIPs };
        if (SnatPorts is not null)
        {
            string[] ends = SnatPorts.Split('-');
            if (ends.Length == 2 && TryParseNumber(ends[0], out uint first) && TryParseNumber(ends[1], out uint last))
                flows = flows with { SnatPortFirst = (int)uint.Min(first, int.MaxValue), SnatPortLast = (int)uint.Min(last, int.MaxValue) };
            else
                errors.Add($"--snat-ports {SnatPorts}: write FIRST-LAST, such as 50000-65535.");
        }

        var named = new HashSet<string>(StringComparer.Ordinal);
        string names = string.Join(", ", FlowSettings.TimeoutNames);
        foreach (string text in ConntrackTimeouts?.Split(',') ?? [])
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? text : text[..equals];
            if (!FlowSettings.TimeoutNames.Contains(name))
                errors.Add($"--conntrack-timeouts {text}: there is no timeout '{name}'. They are {names}.");
            else if (!named.Add(name))
                errors.Add($"--conntrack-timeouts {text}: this timeout is given twice.");
            else if (!TryParseNumber(text.AsSpan(equals + 1), out uint seconds))
                errors.Add($"--conntrack-timeouts {text}: write NAME=SECONDS, such as {name}=60.");
            else
                flows = flows.WithTimeout(name, seconds);
        }

        if (DeadBackendGrace is not null)
        {
            if (DeadBackendGrace == Off)
                flows = flows with { DeadBackendSeconds = 0 };
            else if (TryParseNumber(DeadBackendGrace, out uint grace) && grace > 0)
                flows = flows with { DeadBackendSeconds = grace };
            else
                errors.Add($"--dead-backend-grace {DeadBackendGrace}: write SECONDS, such as 60, or {Off}.");
        }

        return flows;
    }

    private static bool TryParseNumber(ReadOnlySpan<char> text, out uint value) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}
