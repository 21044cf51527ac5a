// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Bpf;

/// <summary>Sees one entry of a map. The spans are valid during the call only.</summary>
public delegate void BpfEntryVisitor(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);
