// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Bpf;

public sealed record BpfMapInfo(
    uint Id,
    BpfMapType Type,
    uint KeySize,
    uint ValueSize,
    uint MaxEntries,
    BpfMapFlags Flags,
    string Name,
    uint BtfId,
    uint BtfKeyTypeId,
    uint BtfValueTypeId);
