// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;

namespace EbpfLb.Linux.Bpf;

/// <summary>BPF_OBJ_GET and BPF_OBJ_PIN.</summary>
internal static unsafe class PinPath
{
    /// <param name="path">Where the object is pinned.</param>
    /// <param name="kind">What it must be: "map", "prog" or "link".</param>
    private static Errno TryOpen(string path, string kind, out BpfHandle? handle)
    {
        handle = null;
        int descriptor;
        fixed (byte* pathName = ToCString(path))
        {
            BpfAttr.Object attr = new() { PathName = (ulong)pathName };
            Errno errno = BpfSyscall.Invoke(BpfCommand.ObjGet, ref attr, out descriptor);
            if (errno != Errno.None)
                return errno;
        }

        BpfHandle opened = new(descriptor);
        // The three kinds share one call and one file system, but not one info struct: asking a program as a map gives nonsense.
        string target = File.ResolveLinkTarget($"/proc/self/fd/{descriptor}", returnFinalTarget: false)?.Name ?? "";
        if (!target.Contains($"bpf-{kind}", StringComparison.Ordinal) && !target.Contains($"bpf_{kind}", StringComparison.Ordinal))
        {
            opened.Dispose();
            throw new LinuxException($"open pinned {kind} {path}", Errno.EINVAL, $"it is {target}");
        }

        handle = opened;
        return Errno.None;
    }

    public static BpfHandle Open(string path, string kind)
    {
        Errno errno = TryOpen(path, kind, out BpfHandle? handle);
        return handle ?? throw new LinuxException($"open pinned {kind} {path}", errno);
    }

    /// <summary>Null when nothing is pinned there; anything else that fails is an exception.</summary>
    public static BpfHandle? OpenIfPinned(string path, string kind)
    {
        Errno errno = TryOpen(path, kind, out BpfHandle? handle);
        return handle is not null || errno == Errno.ENOENT ? handle : throw new LinuxException($"open pinned {kind} {path}", errno);
    }

    public static void Pin(BpfHandle handle, string path, string what)
    {
        using Lease lease = new(handle);
        fixed (byte* pathName = ToCString(path))
        {
            BpfAttr.Object attr = new() { PathName = (ulong)pathName, BpfFd = lease.Descriptor };
            Errno errno = BpfSyscall.Invoke(BpfCommand.ObjPin, ref attr, out _);
            if (errno != Errno.None)
                throw new LinuxException($"pin {what} at {path}", errno);
        }
    }

    private static byte[] ToCString(string path)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(path) + 1];
        Encoding.UTF8.GetBytes(path, bytes);
        return bytes;
    }
}
