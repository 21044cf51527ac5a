// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Bpf;

/// <summary>What the running kernel has, found by trying. Nothing that a probe makes outlives it.</summary>
public static class BpfProbe
{
    private const string KernelTypes = "/sys/kernel/btf/vmlinux";
    private const int LoopbackIndex = 1;

    // r0 = 0; exit.
    private const ulong Zero = 0xb7;
    private const ulong Exit = 0x95;

    /// <summary>Whether programs of this type may call a helper of enum bpf_func_id, whatever its arguments.</summary>
    public static bool HasHelper(BpfProgramType type, BpfAttachType attachType, int helper, bool sleepable = false)
    {
        const ulong call = 0x85;
        return TryLoad(type, attachType, [call | ((ulong)(uint)helper << 32), Zero, Exit], sleepable, out string log)
            // A call with no argument set up is refused for that, after the helper was found.
            || !(log.Contains("invalid func", StringComparison.Ordinal) || log.Contains("unknown func", StringComparison.Ordinal)
                || log.Contains("cannot use helper", StringComparison.Ordinal));
    }

    public static bool HasProgramType(BpfProgramType type, BpfAttachType attachType = default, bool sleepable = false) =>
        TryLoad(type, attachType, [Zero, Exit], sleepable, out _);

    /// <summary>Links, their updates and their detachment (Linux 5.9).</summary>
    public static bool HasLinks()
    {
        // No descriptor is that large: a kernel that knows the command looks for it.
        BpfAttr.LinkDetach attr = new() { LinkFd = int.MaxValue };
        return BpfSyscall.Invoke(BpfCommand.LinkDetach, ref attr, out _) == Errno.EBADF;
    }

    /// <summary>The tcx hooks of devices (Linux 6.6, and CONFIG_NET_XGRESS).</summary>
    public static bool HasTcx()
    {
        BpfAttr.Query attr = new() { TargetFd = LoopbackIndex, AttachType = (uint)BpfAttachType.TcxIngress };
        // Any other answer is of a kernel that knows the hook, such as ENOENT of a device that never had a program there.
        return BpfSyscall.Invoke(BpfCommand.ProgQuery, ref attr, out _) != Errno.EINVAL;
    }

    /// <summary>The kernel's own types, which iterators and tracing programs are loaded by.</summary>
    public static bool HasKernelTypes() => File.Exists(KernelTypes);

    private static bool TryLoad(
        BpfProgramType type, BpfAttachType attachType, ReadOnlySpan<ulong> instructions, bool sleepable, out string log)
    {
        try
        {
            using var program = BpfProgram.LoadRaw("ebpflb_probe", type, attachType, instructions, "GPL", sleepable);
            log = "";
            return true;
        }
        catch (LinuxException exception) when (exception.Errno is Errno.EINVAL or Errno.EACCES)
        {
            log = exception.Message;
            return false;
        }
    }
}
