// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;

namespace EbpfLb.Datapath.Contract;

/// <summary>counters_v1 and svc_counters_v1: in is from clients.</summary>
[CType("lb_counters")]
[StructLayout(LayoutKind.Explicit, Size = 40)]
public record struct CountersValue
{
    [FieldOffset(0)] public ulong Connections;
    [FieldOffset(8)] public ulong PacketsIn;
    [FieldOffset(16)] public ulong BytesIn;
    [FieldOffset(24)] public ulong PacketsOut;
    [FieldOffset(32)] public ulong BytesOut;

    public readonly CountersValue Plus(in CountersValue other) => new()
    {
        Connections = Connections + other.Connections,
        PacketsIn = PacketsIn + other.PacketsIn,
        BytesIn = BytesIn + other.BytesIn,
        PacketsOut = PacketsOut + other.PacketsOut,
        BytesOut = BytesOut + other.BytesOut,
    };
}
