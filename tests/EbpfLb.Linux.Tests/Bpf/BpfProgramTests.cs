// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Clocks;
using EbpfLb.Linux.Tests.Support;

namespace EbpfLb.Linux.Tests.Bpf;

public sealed class BpfProgramTests
{
    private const int KtimeGetNs = 5;
    private const uint XdpPass = 2;
    private const short SkBuffMark = 8;

    /// <summary>Returns the first word of the context, and stores it shifted by one bit in the second.</summary>
    private static readonly ulong[] Doubled =
    [
        Instructions.Load32(0, 1, 0),
        Instructions.Load32(2, 1, 0),
        Instructions.ShiftLeft(2, 1),
        Instructions.Store32(1, 4, 2),
        Instructions.Exit,
    ];

    [PrivilegedFact]
    public void A_program_reports_what_it_is()
    {
        using BpfProgram program = Pass("report");

        Assert.Equal("report", program.Info.Name);
        Assert.Equal(BpfProgramType.Xdp, program.Info.Type);
        Assert.Matches("^[0-9a-f]{16}$", program.Info.Tag);
        Assert.True(program.Info.GplCompatible);
        Assert.Empty(program.Info.MapIds);
        Assert.True(program.Info.LoadedAt > TimeSpan.Zero);
        Assert.Contains(program.Info.Id, BpfObjects.ProgramIds());
    }

    [PrivilegedFact]
    public void Equal_programs_have_equal_tags()
    {
        using BpfProgram one = Pass("one");
        using BpfProgram two = Pass("two");
        using BpfProgram other = Instructions.Xdp("other", Instructions.Move(0, 1), Instructions.Exit);

        Assert.Equal(one.Info.Tag, two.Info.Tag);
        Assert.NotEqual(one.Info.Tag, other.Info.Tag);
    }

    [PrivilegedFact]
    public void A_pinned_program_is_opened_by_its_path_and_its_id()
    {
        using PrivateBpffs bpffs = new();
        using BpfProgram program = Pass("pinned");
        program.Pin(bpffs.Pin("p"));

        using BpfProgram opened = BpfProgram.OpenPinned(bpffs.Pin("p"));
        using BpfProgram byId = BpfProgram.FromId(program.Info.Id);
        Assert.Equal(program.Info.Id, opened.Info.Id);
        Assert.Equal(program.Info.Id, byId.Info.Id);
        Assert.False(BpfProgram.TryOpenPinned(bpffs.Pin("absent"), out _));
        Assert.Equal(Errno.EEXIST, Assert.Throws<LinuxException>(() => program.Pin(bpffs.Pin("p"))).Errno);
        Assert.Equal(Errno.ENOENT, Assert.Throws<LinuxException>(() => BpfProgram.OpenPinned(bpffs.Pin("absent"))).Errno);
    }

    [PrivilegedFact]
    public void A_program_the_verifier_refuses_comes_with_its_log()
    {
        LinuxException exception = Assert.Throws<LinuxException>(() => Instructions.Xdp("bad", Instructions.Exit));

        Assert.Equal(Errno.EACCES, exception.Errno);
        Assert.Contains("R0 !read_ok", exception.Message, StringComparison.Ordinal);
    }

    [PrivilegedFact]
    public void A_test_run_gives_the_verdict_and_the_packet()
    {
        using BpfProgram program = Pass("run");
        byte[] packet = [.. Enumerable.Range(0, 64).Select(i => (byte)i)];
        byte[] output = new byte[128];

        BpfTestRunResult result = program.TestRun(packet, output, repeat: 10);

        Assert.Equal(XdpPass, result.ReturnValue);
        Assert.Equal(64, result.DataSize);
        Assert.Equal(packet, output[..64]);
    }

    [PrivilegedFact]
    public void A_test_run_with_too_small_an_output_is_ENOSPC()
    {
        using BpfProgram program = Pass("small");
        byte[] output = new byte[16];

        LinuxException exception = Assert.Throws<LinuxException>(() => program.TestRun(new byte[64], output));
        Assert.Equal(Errno.ENOSPC, exception.Errno);
        Assert.StartsWith("run program small", exception.Message, StringComparison.Ordinal);
    }

    [PrivilegedFact]
    public void A_test_run_passes_the_context_in_and_out()
    {
        using BpfProgram program = BpfProgram.LoadRaw("mark", BpfProgramType.SchedCls, default,
        [
            Instructions.Load32(0, 1, SkBuffMark),
            Instructions.Move(2, 43),
            Instructions.Store32(1, SkBuffMark, 2),
            Instructions.Exit,
        ]);
        byte[] context = new byte[192];
        BinaryPrimitives.WriteUInt32LittleEndian(context.AsSpan(SkBuffMark), 42);
        byte[] contextOut = new byte[192];

        BpfTestRunResult result = program.TestRun(new byte[64], context: context, contextOut: contextOut);

        Assert.Equal(42u, result.ReturnValue);
        Assert.Equal(192, result.ContextSize);
        Assert.Equal(43u, BinaryPrimitives.ReadUInt32LittleEndian(contextOut.AsSpan(SkBuffMark)));
    }

    [PrivilegedFact]
    public void A_cgroup_program_cannot_be_test_run()
    {
        using BpfProgram program = Instructions.Connect4("connect", 1);

        Assert.Equal(Errno.ENOTSUPP, Assert.Throws<LinuxException>(() => program.TestRun(new byte[64])).Errno);
    }

    [PrivilegedFact]
    public void A_syscall_program_reads_its_context_and_writes_it_back()
    {
        using BpfProgram program = BpfProgram.LoadRaw("sweep", BpfProgramType.Syscall, default, Doubled, sleepable: true);
        uint[] context = [21, 0, 7];

        uint returned = program.RunSyscall(MemoryMarshal.AsBytes(context.AsSpan()));

        Assert.Equal(21u, returned);
        Assert.Equal([21, 42, 7], context);
    }

    [PrivilegedFact]
    public void A_context_smaller_than_what_a_syscall_program_uses_is_EINVAL()
    {
        using BpfProgram program = BpfProgram.LoadRaw("sweep", BpfProgramType.Syscall, default, Doubled, sleepable: true);

        LinuxException exception = Assert.Throws<LinuxException>(() => program.RunSyscall(new byte[4]));
        Assert.Equal(Errno.EINVAL, exception.Errno);
        Assert.StartsWith("run program sweep", exception.Message, StringComparison.Ordinal);
    }

    [PrivilegedFact]
    public void The_monotonic_clock_is_the_clock_of_programs()
    {
        // A verdict has 32 bits: the time in units of 2^20 ns.
        const int Shift = 20;
        using BpfProgram program = Instructions.Xdp(
            "clock", Instructions.Call(KtimeGetNs), Instructions.ShiftRight(0, Shift), Instructions.Exit);

        ulong before = MonotonicClock.NowNs;
        uint seen = program.TestRun(new byte[64]).ReturnValue;
        ulong after = MonotonicClock.NowNs;

        Assert.InRange(seen, (uint)(before >> Shift), (uint)(after >> Shift));
    }

    private static BpfProgram Pass(string name) => Instructions.Xdp(name, Instructions.Move(0, (int)XdpPass), Instructions.Exit);
}
