// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;

namespace EbpfLb.Linux.Processes;

/// <summary>Privileges of the calling thread, which its children and the program it executes get. Other threads keep theirs.</summary>
internal static unsafe partial class PrivilegeSyscalls
{
    private const int PR_CAPBSET_DROP = 24;
    private const int PR_SET_NO_NEW_PRIVS = 38;
    private const int RLIMIT_CORE = 4;
    private const uint _LINUX_CAPABILITY_VERSION_3 = 0x20080522;

    public static void DropFromBoundingSet(int capability) =>
        Check(prctl(PR_CAPBSET_DROP, (nuint)capability, 0, 0, 0), $"drop capability {capability} from the bounding set");

    public static void ForbidNewPrivileges() => Check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "set no_new_privs");

    /// <summary>
    /// Of the whole process and its children. A program that takes dumps gets them whatever the limit is, but for 1: that is the kernel's
    /// mark of a process that must not be dumped. A file would have to be smaller than that.
    /// </summary>
    public static void ForbidDumps()
    {
        ResourceLimit limit = new() { Soft = 1, Hard = 1 };
        Check(setrlimit(RLIMIT_CORE, &limit), "limit core dumps");
    }

    /// <summary>Ambient ones that are not among these go as well.</summary>
    public static void SetCapabilities(ulong permittedAndEffective, ulong inheritable)
    {
        CapabilityHeader header = new() { Version = _LINUX_CAPABILITY_VERSION_3 };
        CapabilityData* data = stackalloc CapabilityData[2];
        for (int half = 0; half < 2; half++)
        {
            uint bits = (uint)(permittedAndEffective >> (32 * half));
            data[half] = new() { Effective = bits, Permitted = bits, Inheritable = (uint)(inheritable >> (32 * half)) };
        }

        Check(capset(&header, data), "set the capabilities");
    }

    /// <summary>Returns only when it fails. The environment stays.</summary>
    public static LinuxException Execute(string path, IReadOnlyList<byte[]> arguments)
    {
        nint* vector = (nint*)NativeMemory.AllocZeroed((nuint)(arguments.Count + 1), (nuint)sizeof(nint));
        for (int i = 0; i < arguments.Count; i++)
        {
            byte* text = (byte*)NativeMemory.AllocZeroed((nuint)arguments[i].Length + 1);
            arguments[i].CopyTo(new Span<byte>(text, arguments[i].Length));
            vector[i] = (nint)text;
        }

        execv(path, vector);
        Errno errno = (Errno)Marshal.GetLastPInvokeError();
        for (int i = 0; i < arguments.Count; i++)
            NativeMemory.Free((void*)vector[i]);
        NativeMemory.Free(vector);
        return new LinuxException($"execute {path}", errno);
    }

    private static void Check(int result, string what)
    {
        if (result != 0)
            throw new LinuxException(what, (Errno)Marshal.GetLastPInvokeError());
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prctl(int option, nuint arg2, nuint arg3, nuint arg4, nuint arg5);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setrlimit(int resource, ResourceLimit* limit);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int capset(CapabilityHeader* header, CapabilityData* data);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int execv(string path, nint* argv);

    [StructLayout(LayoutKind.Sequential)]
    private struct ResourceLimit
    {
        public nuint Soft;
        public nuint Hard;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct CapabilityHeader
    {
        public uint Version;

        // 0: the calling thread.
        public int Pid;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct CapabilityData
    {
        public uint Effective;
        public uint Permitted;
        public uint Inheritable;
    }
}
