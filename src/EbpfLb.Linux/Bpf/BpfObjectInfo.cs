// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Bpf;

/// <summary>BPF_OBJ_GET_INFO_BY_FD and BPF_*_GET_FD_BY_ID.</summary>
internal static unsafe class BpfObjectInfo
{
    public static void Fill<TInfo>(BpfHandle handle, ref TInfo info, string what)
        where TInfo : unmanaged
    {
        using Lease lease = new(handle);
        fixed (TInfo* pointer = &info)
        {
            BpfAttr.Info attr = new() { BpfFd = lease.Descriptor, InfoLen = (uint)sizeof(TInfo), InfoPointer = (ulong)pointer };
            Errno errno = BpfSyscall.Invoke(BpfCommand.ObjGetInfoByFd, ref attr, out _);
            if (errno != Errno.None)
                throw new LinuxException($"read the info of {what}", errno);
        }
    }

    public static BpfHandle OpenById(BpfCommand command, uint id, string kind)
    {
        BpfAttr.Id attr = new() { StartId = id };
        Errno errno = BpfSyscall.Invoke(command, ref attr, out int descriptor);
        return errno == Errno.None ? new BpfHandle(descriptor) : throw new LinuxException($"open {kind} with id {id}", errno);
    }
}
