// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Datapath.Conntrack;

/// <summary>
/// The element of settings_v1. Field by field: the ports of NodePorts in it are the sync's, and a reader must never see a field between two
/// values. One task raises the generation.
/// </summary>
public sealed class NodeSettings(BpfMappedArray array)
{
    private ref SettingsValue Value => ref array.At<SettingsValue>(0);

    public uint Generation => Value.Generation;

    /// <summary>
    /// Before a program of this agent is attached. The generation goes on, so that no route an earlier agent found is trusted.
    /// </summary>
    /// <param name="nodeNetns">Cookie of the node's network namespace.</param>
    public void Write(FlowSettings settings, ulong nodeNetns)
    {
        Store(settings, nodeNetns);
        RaiseGeneration();
    }

    /// <summary>Stores again what <see cref="Write"/> did, if it is not there any more. From any task: no route depends on it.</summary>
    /// <returns>Whether it was not.</returns>
    public bool Mend(FlowSettings settings, ulong nodeNetns)
    {
        var before = Value;
        Store(settings, nodeNetns);
        var after = Value;
        // Others' fields may have changed meanwhile.
        return WithoutOthers(before) != WithoutOthers(after);
    }

    /// <summary>What <see cref="Write"/> stores; the fields of others are 0.</summary>
    public static SettingsValue ValueOf(FlowSettings settings, ulong nodeNetns)
    {
        SettingsValue value = default;
        Store(settings, nodeNetns, ref value);
        return value;
    }

    internal static SettingsValue WithoutOthers(SettingsValue value) => value with { Generation = 0, NodePortFirst = 0, NodePortLast = 0 };

    private void Store(FlowSettings settings, ulong nodeNetns) => Store(settings, nodeNetns, ref Value);

    private static void Store(FlowSettings settings, ulong nodeNetns, ref SettingsValue value)
    {
        ArgumentNullException.ThrowIfNull(settings);
        value.NodeNetns = nodeNetns;
        value.Flags = settings.ExternalClusterIPs ? SettingFlags.ExternalClusterIPs : SettingFlags.None;
        value.SnatPortFirst = (ushort)settings.SnatPortFirst;
        value.SnatPortLast = (ushort)settings.SnatPortLast;
        value.TcpSynSeconds = settings.TcpSynSeconds;
        value.TcpEstablishedSeconds = settings.TcpEstablishedSeconds;
        value.TcpFinSeconds = settings.TcpFinSeconds;
        value.TcpClosedSeconds = settings.TcpClosedSeconds;
        value.UdpSeconds = settings.UdpSeconds;
        value.SctpSeconds = settings.SctpSeconds;
        value.PairCheckMs = settings.PairCheckMs;
        value.RepliesPerSecond = settings.RepliesPerSecond;
    }

    /// <summary>Every flow looks its route up again with its next packet.</summary>
    public void RaiseGeneration()
    {
        uint next = Value.Generation + 1;
        // 0 says that an entry has no route.
        Volatile.Write(ref Value.Generation, next == 0 ? 1 : next);
    }
}
