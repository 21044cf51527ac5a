// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;

namespace EbpfLb.Datapath.Contract;

/// <summary>problems_v1: the key is a running number.</summary>
[CType("lb_problem")]
[StructLayout(LayoutKind.Explicit, Size = 512)]
public struct ProblemValue
{
    [FieldOffset(0)] public NameText Object;
    [FieldOffset(192)] public MessageText Message;
}
