// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using EbpfLb.Datapath.Contract;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Packets.Tests.Ground;

/// <summary>What becomes of a packet, whatever the hook calls it.</summary>
internal enum Fate
{
    /// <summary>On to the next program, or the stack.</summary>
    Pass,

    Drop,

    /// <summary>Out through the device it came in by (XDP).</summary>
    Transmit,

    /// <summary>Out through the device the program named.</summary>
    Redirect,

    /// <summary>XDP_ABORTED, or a number that is no verdict.</summary>
    Broken,
}

internal sealed record PacketResult(Fate Fate, byte[] Bytes)
{
    public bool IsSent => Fate is Fate.Transmit or Fate.Redirect;
}

/// <summary>Runs one packet through one program.</summary>
internal static class PacketRunner
{
    private const int SkBuffLength = 192;
    private const int IngressIfindexAt = 36;
    private const int IfindexAt = 40;
    private const int XdpContextLength = 24;

    /// <summary>The shortest frame the kernel runs a program on: for tc, one that has the whole header its ethertype promises.</summary>
    public static int ShortestFrame(Hook hook, ReadOnlySpan<byte> frame) => hook == Hook.Xdp
        ? 15
        : BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) switch
        {
            0x0800 => 14 + 20,
            0x86dd => 14 + 40,
            _ => 15,
        };

    public static BpfProgram ProgramOf(PacketGround ground, Hook hook) => hook switch
    {
        Hook.Xdp => ground.Xdp,
        Hook.TcIngress => ground.TcIngress,
        Hook.TcEgress => ground.TcEgress,
        _ => ground.TcPod,
    };

    /// <summary>struct xdp_md or __sk_buff, for a packet of that length on that device.</summary>
    public static byte[] ContextOf(Hook hook, GroundDevice device, int length)
    {
        byte[] context = new byte[hook == Hook.Xdp ? XdpContextLength : SkBuffLength];
        if (hook == Hook.Xdp)
            SetXdpLength(context, length);
        WriteHost(context, hook == Hook.Xdp ? 12 : IfindexAt, device.Index);
        if (hook is Hook.TcIngress or Hook.TcPod)
            WriteHost(context, IngressIfindexAt, device.Index);
        return context;
    }

    public static void SetXdpLength(byte[] context, int length) => WriteHost(context, 4, (uint)length);

    public static PacketResult Run(PacketGround ground, Hook hook, GroundDevice device, byte[] packet) => ground.Inside(() =>
    {
        byte[] output = new byte[packet.Length + 2048];
        var result = ProgramOf(ground, hook).TestRun(packet, output, ContextOf(hook, device, packet.Length));
        return new PacketResult(FateOf(hook, result.ReturnValue), output[..result.DataSize]);
    });

    public static Fate FateOf(Hook hook, uint value) => hook == Hook.Xdp
        ? value switch
        {
            1 => Fate.Drop,
            2 => Fate.Pass,
            3 => Fate.Transmit,
            4 => Fate.Redirect,
            _ => Fate.Broken,
        }
        : (int)value switch
        {
            -1 or 0 => Fate.Pass,
            2 => Fate.Drop,
            7 => Fate.Redirect,
            _ => Fate.Broken,
        };

    private static void WriteHost(byte[] context, int at, uint value)
    {
        if (BitConverter.IsLittleEndian)
            BinaryPrimitives.WriteUInt32LittleEndian(context.AsSpan(at), value);
        else
            BinaryPrimitives.WriteUInt32BigEndian(context.AsSpan(at), value);
    }
}
