// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;

namespace EbpfLb.Linux.Bpf;

/// <summary>A loaded program.</summary>
public sealed unsafe class BpfProgram : IDisposable
{
    private const int MaxAgain = 64;
    private const uint BPF_F_SLEEPABLE = 1 << 4;

    private BpfProgram(BpfHandle handle)
    {
        Handle = handle;
        try
        {
            Info = ReadInfo(handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    public BpfProgramInfo Info { get; }

    internal BpfHandle Handle { get; }

    public static BpfProgram OpenPinned(string path) => new(PinPath.Open(path, "prog"));

    /// <summary>False when nothing is pinned there; anything else that fails is an exception.</summary>
    public static bool TryOpenPinned(string path, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out BpfProgram? program)
    {
        BpfHandle? handle = PinPath.OpenIfPinned(path, "prog");
        program = handle is null ? null : new BpfProgram(handle);
        return program is not null;
    }

    /// <summary>Takes CAP_SYS_ADMIN.</summary>
    public static BpfProgram FromId(uint id) => new(BpfObjectInfo.OpenById(BpfCommand.ProgGetFdById, id, "program"));

    public void Pin(string path) => PinPath.Pin(Handle, path, $"program {Info.Name}");

    /// <summary>Runs the program on a made-up packet (BPF_PROG_TEST_RUN). Works for XDP and tc, not for cgroup hooks.</summary>
    /// <param name="data">The packet.</param>
    /// <param name="dataOut">Takes the packet as the program left it; ENOSPC when it is too small. Empty: not wanted.</param>
    /// <param name="context">struct xdp_md or __sk_buff, or empty.</param>
    /// <param name="contextOut">Takes the context as the program left it, or empty.</param>
    /// <param name="repeat">How often; map effects add up.</param>
    /// <param name="cpu">With <see cref="BpfTestRunFlags.RunOnCpu"/>.</param>
    /// <param name="batchSize">With <see cref="BpfTestRunFlags.XdpLiveFrames"/>; 0 is the kernel's choice.</param>
    public BpfTestRunResult TestRun(
        ReadOnlySpan<byte> data,
        Span<byte> dataOut = default,
        ReadOnlySpan<byte> context = default,
        Span<byte> contextOut = default,
        uint repeat = 1,
        BpfTestRunFlags flags = BpfTestRunFlags.None,
        uint cpu = 0,
        uint batchSize = 0)
    {
        using Lease lease = new(Handle);
        fixed (byte* dataPointer = data)
        fixed (byte* dataOutPointer = dataOut)
        fixed (byte* contextPointer = context)
        fixed (byte* contextOutPointer = contextOut)
        {
            for (int again = 0; ; again++)
            {
                BpfAttr.TestRun attr = new()
                {
                    ProgFd = lease.Descriptor,
                    DataSizeIn = (uint)data.Length,
                    DataSizeOut = (uint)dataOut.Length,
                    DataIn = (ulong)dataPointer,
                    DataOut = (ulong)dataOutPointer,
                    Repeat = repeat,
                    CtxSizeIn = (uint)context.Length,
                    CtxSizeOut = (uint)contextOut.Length,
                    CtxIn = (ulong)contextPointer,
                    CtxOut = (ulong)contextOutPointer,
                    Flags = (uint)flags,
                    Cpu = cpu,
                    BatchSize = batchSize,
                };
                Errno errno = BpfSyscall.InvokeOnce(BpfCommand.ProgTestRun, ref attr, out _);
                if (errno == Errno.None)
                    return new(attr.RetVal, attr.Duration, (int)attr.DataSizeOut, (int)attr.CtxSizeOut);
                // A signal, of which the runtime sends some, ends a long series of runs early.
                if (errno is not (Errno.EINTR or Errno.EAGAIN) || again == MaxAgain)
                    throw new LinuxException($"run program {Info.Name}", errno);
            }
        }
    }

    /// <summary>
    /// Runs a program of type <see cref="BpfProgramType.Syscall"/> once and gives back what it returned. The context is the program's to read
    /// and to write; as it left it, it is in <paramref name="context"/> afterwards.
    /// </summary>
    public uint RunSyscall(Span<byte> context)
    {
        using Lease lease = new(Handle);
        fixed (byte* pointer = context)
        {
            // The kernel takes nothing but a context for this type, and copies it back to where it came from.
            BpfAttr.TestRun attr = new() { ProgFd = lease.Descriptor, CtxSizeIn = (uint)context.Length, CtxIn = (ulong)pointer };
            // Not repeated: a run has effects.
            Errno errno = BpfSyscall.InvokeOnce(BpfCommand.ProgTestRun, ref attr, out _);
            return errno == Errno.None ? attr.RetVal : throw new LinuxException($"run program {Info.Name}", errno);
        }
    }

    public void Dispose() => Handle.Dispose();

    /// <summary>Loads instructions as they are; what ships is loaded from objects. For probes of the kernel, and tests.</summary>
    internal static BpfProgram LoadRaw(
        string name,
        BpfProgramType type,
        BpfAttachType expectedAttachType,
        ReadOnlySpan<ulong> instructions,
        string license = "Dual MIT/GPL",
        bool sleepable = false)
    {
        byte[] log = new byte[64 * 1024];
        fixed (ulong* instructionPointer = instructions)
        fixed (byte* licensePointer = Encoding.ASCII.GetBytes(license + '\0'))
        fixed (byte* logPointer = log)
        {
            BpfAttr.ProgLoad attr = new()
            {
                ProgType = (uint)type,
                InsnCnt = (uint)instructions.Length,
                Insns = (ulong)instructionPointer,
                License = (ulong)licensePointer,
                LogLevel = 1,
                LogSize = (uint)log.Length,
                LogBuf = (ulong)logPointer,
                ExpectedAttachType = (uint)expectedAttachType,
                ProgFlags = sleepable ? BPF_F_SLEEPABLE : 0,
            };
            KernelName.Write(name, new Span<byte>(attr.ProgName, BpfAttr.NameLength));
            Errno errno = BpfSyscall.Invoke(BpfCommand.ProgLoad, ref attr, out int descriptor);
            if (errno != Errno.None)
                throw new LinuxException($"load program {name}", errno, Encoding.ASCII.GetString(log).TrimEnd('\0').TrimEnd());
            return new BpfProgram(new BpfHandle(descriptor));
        }
    }

    private static BpfProgramInfo ReadInfo(BpfHandle handle)
    {
        // The first call says how many maps there are: the ids are asked for in a second.
        BpfAttr.ProgInfo info = default;
        BpfObjectInfo.Fill(handle, ref info, "a program");
        uint[] mapIds = new uint[info.NrMapIds];
        if (mapIds.Length > 0)
        {
            fixed (uint* pointer = mapIds)
            {
                info = new() { NrMapIds = (uint)mapIds.Length, MapIds = (ulong)pointer };
                BpfObjectInfo.Fill(handle, ref info, "a program");
            }
        }

        return new BpfProgramInfo(
            info.Id,
            (BpfProgramType)info.Type,
            KernelName.Read(new ReadOnlySpan<byte>(info.Name, BpfAttr.NameLength)),
            Convert.ToHexStringLower(new ReadOnlySpan<byte>(info.Tag, 8)),
            mapIds,
            Nanoseconds(info.LoadTime),
            (info.GplCompatible & 1) != 0,
            info.VerifiedInsns);
    }

    private static TimeSpan Nanoseconds(ulong value) => TimeSpan.FromTicks((long)(value / 100));
}
