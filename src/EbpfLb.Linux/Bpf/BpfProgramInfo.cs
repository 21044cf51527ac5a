// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Bpf;

/// <param name="Tag">The kernel's digest of the instructions, 16 hexadecimal digits: equal programs have equal tags.</param>
/// <param name="LoadedAt">Time since boot, sleep included.</param>
/// <param name="VerifiedInstructions">What the verifier worked through at load; 0 on kernels that do not say.</param>
public sealed record BpfProgramInfo(
    uint Id,
    BpfProgramType Type,
    string Name,
    string Tag,
    IReadOnlyList<uint> MapIds,
    TimeSpan LoadedAt,
    bool GplCompatible,
    uint VerifiedInstructions);
