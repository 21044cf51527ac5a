// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Linux.Tests.Support;

/// <summary>Just enough of an assembler for programs of a few instructions.</summary>
internal static class Instructions
{
    public const ulong Exit = 0x95;

    public static ulong Move(int register, int value) => Encode(0xb7, register, 0, 0, value);

    public static ulong Call(int helper) => Encode(0x85, 0, 0, 0, helper);

    public static ulong ShiftRight(int register, int bits) => Encode(0x77, register, 0, 0, bits);

    public static ulong ShiftLeft(int register, int bits) => Encode(0x67, register, 0, 0, bits);

    public static ulong Load32(int register, int from, short offset) => Encode(0x61, register, from, offset, 0);

    public static ulong Store32(int to, short offset, int register) => Encode(0x63, to, register, offset, 0);

    public static BpfProgram Connect4(string name, int verdict)
        => BpfProgram.LoadRaw(name, BpfProgramType.CgroupSockAddr, BpfAttachType.CgroupInet4Connect, [Move(0, verdict), Exit]);

    public static BpfProgram Xdp(string name, params ReadOnlySpan<ulong> instructions)
        => BpfProgram.LoadRaw(name, BpfProgramType.Xdp, BpfAttachType.CgroupInetIngress, instructions);

    private static ulong Encode(byte code, int destination, int source, short offset, int immediate)
        => code | ((ulong)destination << 8) | ((ulong)source << 12) | ((ulong)(ushort)offset << 16) | ((ulong)(uint)immediate << 32);
}
