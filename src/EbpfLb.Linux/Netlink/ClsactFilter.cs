// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Netlink;

/// <summary>A filter of classic tc.</summary>
/// <param name="Priority">Those with a smaller one run first.</param>
/// <param name="Kind">"bpf", "flower" ...</param>
/// <param name="Name">What its owner called it; empty for kinds other than bpf.</param>
/// <param name="ProgramId">0 for kinds other than bpf.</param>
public sealed record ClsactFilter(ushort Priority, uint Handle, string Kind, string Name, uint ProgramId);
