// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Bpf;

/// <summary>BPF_F_* of map creation, the part in use.</summary>
[Flags]
public enum BpfMapFlags
{
    None = 0,
    NoPrealloc = 1 << 0,
    ReadOnlyFromProgram = 1 << 7,
    Mmapable = 1 << 10,
}
