// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;

namespace EbpfLb.Datapath.Contract;

/// <summary>settings_v1: what programs are told by the agent. Ports in host order.</summary>
[CType("lb_settings")]
[StructLayout(LayoutKind.Explicit, Size = 56)]
public record struct SettingsValue
{
    [FieldOffset(0)] public ulong NodeNetns;
    [FieldOffset(8)] public uint Generation;
    [FieldOffset(12)] public SettingFlags Flags;
    [FieldOffset(16)] public ushort SnatPortFirst;
    [FieldOffset(18)] public ushort SnatPortLast;
    [FieldOffset(20)] public ushort NodePortFirst;
    [FieldOffset(22)] public ushort NodePortLast;
    [FieldOffset(24)] public uint TcpSynSeconds;
    [FieldOffset(28)] public uint TcpEstablishedSeconds;
    [FieldOffset(32)] public uint TcpFinSeconds;
    [FieldOffset(36)] public uint TcpClosedSeconds;
    [FieldOffset(40)] public uint UdpSeconds;
    [FieldOffset(44)] public uint SctpSeconds;
    [FieldOffset(48)] public uint PairCheckMs;
    [FieldOffset(52)] public uint RepliesPerSecond;
}
