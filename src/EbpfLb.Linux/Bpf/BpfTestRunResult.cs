// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Bpf;

/// <param name="ReturnValue">What the program returned.</param>
/// <param name="DurationNs">Average of one run, in nanoseconds.</param>
/// <param name="DataSize">Bytes of the packet as the program left it.</param>
/// <param name="ContextSize">Bytes of the context as the program left it.</param>
public readonly record struct BpfTestRunResult(uint ReturnValue, uint DurationNs, int DataSize, int ContextSize);
