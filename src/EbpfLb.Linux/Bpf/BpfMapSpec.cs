// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Bpf;

/// <summary>What BPF_MAP_CREATE needs.</summary>
/// <param name="Name">At most 15 characters.</param>
/// <param name="BtfId">
/// The kernel's id of the BTF that describes key and value, or 0. Opening BTF by id takes CAP_SYS_ADMIN; a process without it creates maps
/// without BTF.
/// </param>
public readonly record struct BpfMapSpec(
    string Name,
    BpfMapType Type,
    uint KeySize,
    uint ValueSize,
    uint MaxEntries,
    BpfMapFlags Flags = BpfMapFlags.None,
    uint BtfId = 0,
    uint BtfKeyTypeId = 0,
    uint BtfValueTypeId = 0);
