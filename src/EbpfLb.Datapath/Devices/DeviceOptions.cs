// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Devices;

/// <summary>Where the programs of the packet path go.</summary>
public sealed record DeviceOptions
{
    /// <summary>In place of patterns: nothing is attached to any device.</summary>
    public const string None = "none";

    /// <summary>Null: the devices are found. Empty: there are none.</summary>
    public IReadOnlyList<DevicePattern>? Devices { get; init; }

    /// <summary>The node's ends of the pods' devices.</summary>
    public IReadOnlyList<DevicePattern> PodDevices { get; init; } = [];

    public XdpChoice Xdp { get; init; } = XdpChoice.Auto;

    /// <summary>One of a family at most. Where there is none, the first global address of a device with a default route serves.</summary>
    public IReadOnlyList<Address> NodeAddresses { get; init; } = [];

    public NodePortAddresses NodePorts { get; init; } = NodePortAddresses.All;

    /// <summary>What is wrong, one sentence each; empty when nothing is.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        foreach (var family in NodeAddresses.GroupBy(address => address.Family).Where(family => family.Count() > 1))
            errors.Add($"--node-ip {string.Join(',', family)}: a node has one address of each family. Name one {family.Key} address.");
        return errors;
    }
}
