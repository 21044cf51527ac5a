// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

namespace EbpfLb.Linux.Processes;

/// <summary>What a root process gives away for good when it only works with BPF and the network.</summary>
public static class LeastPrivilege
{
    private const string Executable = "/proc/self/exe";

    private static readonly ulong Bpf =
        Mask(Capabilities.CAP_BPF) | Mask(Capabilities.CAP_NET_ADMIN) | Mask(Capabilities.CAP_PERFMON);

    // Each of these is of use where it is there: other network namespaces and mounting a BPF file system; finding the former; the OOM
    // score; a kubeconfig of another user; a port below 1024.
    private static readonly ulong Useful =
        Mask(Capabilities.CAP_SYS_ADMIN) | Mask(Capabilities.CAP_SYS_PTRACE) | Mask(Capabilities.CAP_SYS_RESOURCE)
        | Mask(Capabilities.CAP_DAC_READ_SEARCH) | Mask(Capabilities.CAP_NET_BIND_SERVICE);

    /// <summary>
    /// A thread can give away its own capabilities only, and the runtime has started others: so the program executes itself, with the
    /// process id, arguments, environment and outputs it has, and begins anew with less. Returns where there is nothing to give away, or
    /// the process may not. To be called before anything else is done.
    /// </summary>
    public static void Enter()
    {
        string[] status = File.ReadAllLines("/proc/self/status");
        ulong kept = Bpf | Useful, bounding = Capabilities.Read(status, "CapBnd:"), permitted = Capabilities.Read(status, "CapPrm:");
        if (ProcessIdentity.EffectiveUid != 0 || (bounding & ~kept) == 0 || (permitted & Mask(Capabilities.CAP_SETPCAP)) == 0)
            return;

        for (int capability = 0; capability < 64; capability++)
        {
            if ((bounding & ~kept & Mask(capability)) != 0)
                PrivilegeSyscalls.DropFromBoundingSet(capability);
        }

        Reduce(status, kept);
        // By its own name, so that it keeps it. An executable that was replaced has none any more.
        string path = File.ResolveLinkTarget(Executable, returnFinalTarget: false)?.FullName ?? Executable;
        throw PrivilegeSyscalls.Execute(File.Exists(path) ? path : Executable, Arguments(File.ReadAllBytes("/proc/self/cmdline")));
    }

    /// <summary>
    /// Keeps the memory of this process, secrets included, out of core dumps. It stays dumpable in the kernel's sense, for bpftool.
    /// </summary>
    public static void ForbidDumps() => PrivilegeSyscalls.ForbidDumps();

    /// <summary>
    /// For the calling thread, and so for the processes it starts: what bpftool needs, and no way to more. It reads objects through
    /// /proc/PID/fd of this process, which takes all that this process may, or CAP_SYS_PTRACE.
    /// </summary>
    internal static void ReduceToBpf()
    {
        string[] status = File.ReadAllLines("/proc/thread-self/status");
        ulong permitted = Capabilities.Read(status, "CapPrm:"), ptrace = Mask(Capabilities.CAP_SYS_PTRACE);
        Reduce(status, (permitted & ptrace) == 0 ? permitted : Bpf | ptrace);
    }

    internal static IReadOnlyList<byte[]> Arguments(ReadOnlySpan<byte> commandLine)
    {
        var arguments = new List<byte[]>();
        while (commandLine.IndexOf((byte)0) is >= 0 and var end)
        {
            arguments.Add(commandLine[..end].ToArray());
            commandLine = commandLine[(end + 1)..];
        }

        return arguments;
    }

    // CAP_SYS_ADMIN stands for the three on kernels, and in containers, that do not have them.
    private static void Reduce(string[] status, ulong kept)
    {
        ulong permitted = Capabilities.Read(status, "CapPrm:");
        if ((permitted & Bpf) != Bpf)
            kept |= Mask(Capabilities.CAP_SYS_ADMIN);
        PrivilegeSyscalls.SetCapabilities(permitted & kept, Capabilities.Read(status, "CapInh:") & kept);
        PrivilegeSyscalls.ForbidNewPrivileges();
    }

    private static ulong Mask(int capability) => 1ul << capability;
}
