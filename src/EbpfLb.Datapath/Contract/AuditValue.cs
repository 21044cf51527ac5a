// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;

namespace EbpfLb.Datapath.Contract;

/// <summary>audit_v1: one element. All is the agent's to write but <see cref="Asked"/>, which commands count up.</summary>
[CType("lb_audit")]
[StructLayout(LayoutKind.Explicit, Size = 56)]
public record struct AuditValue
{
    [FieldOffset(0)] public ulong Asked;
    [FieldOffset(8)] public ulong Answered;
    [FieldOffset(16)] public ulong EndedNs;
    [FieldOffset(24)] public ulong Runs;
    [FieldOffset(32)] public ulong Repaired;
    [FieldOffset(40)] public ulong PutBack;
    [FieldOffset(48)] public uint Differed;
    [FieldOffset(52)] public uint Left;
}
