// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Loading;
using EbpfLb.Linux;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Datapath.Conntrack;

/// <summary>The program that ends expired flows, puts their halves together and folds their counters.</summary>
public sealed class ConntrackSweep : IDisposable
{
    private readonly BpfProgram _program;

    /// <param name="programDirectory">Where this build's programs are.</param>
    public ConntrackSweep(string programDirectory) =>
        _program = BpfProgram.OpenPinned(Path.Combine(programDirectory, ProgramNames.ConntrackSweep));

    /// <summary>Sweeps the whole map once.</summary>
    /// <param name="deadBackendSeconds">How long a backend is gone and silent before its connections are dead; 0: they never are.</param>
    /// <exception cref="LinuxException">The program did not run to its end.</exception>
    public SweepValue Run(uint deadBackendSeconds)
    {
        var value = new SweepValue { DeadBackendSeconds = deadBackendSeconds };
        uint result = _program.RunSyscall(MemoryMarshal.AsBytes(new Span<SweepValue>(ref value)));
        return result == 0 ? value : throw new LinuxException($"run program {ProgramNames.ConntrackSweep}", (Errno)Math.Abs((int)result));
    }

    public void Dispose() => _program.Dispose();
}
