// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Bpf;

[Flags]
public enum BpfTestRunFlags
{
    None = 0,

    /// <summary>Run on the CPU that the call names.</summary>
    RunOnCpu = 1 << 0,

    /// <summary>XDP verdicts take effect: a generator of real packets. No output is given back.</summary>
    XdpLiveFrames = 1 << 1,
}
