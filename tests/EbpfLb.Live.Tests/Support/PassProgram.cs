// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Live.Tests.Support;

/// <summary>Somebody else's program that lets every packet go on.</summary>
internal sealed class PassProgram : IDisposable
{
    public const string Name = "foreign";

    private const ulong Exit = 0x95;

    // r0 = value
    private const ulong Return = 0xb7;

    private readonly BpfProgram _program;

    private PassProgram(BpfProgram program, string pin)
    {
        _program = program;
        Pin = pin;
        program.Pin(pin);
    }

    public string Pin { get; }

    public uint Id => _program.Info.Id;

    public static PassProgram LoadXdp(string pin)
    {
        const ulong XDP_PASS = 2;
        return new(BpfProgram.LoadRaw(Name, BpfProgramType.Xdp, BpfAttachType.Xdp, [Return | XDP_PASS << 32, Exit]), pin);
    }

    /// <summary>Hands on to the next program of its hook.</summary>
    public static PassProgram LoadTcx(string pin)
    {
        const ulong TCX_NEXT = 0xffffffff;
        return new(BpfProgram.LoadRaw(Name, BpfProgramType.SchedCls, BpfAttachType.TcxIngress, [Return | TCX_NEXT << 32, Exit]), pin);
    }

    /// <summary>In place for as long as the link is not disposed.</summary>
    public BpfLink AttachTcx(int device, bool egress) => BpfLink.AttachTcx(_program, device, egress);

    public void Dispose()
    {
        File.Delete(Pin);
        _program.Dispose();
    }
}
