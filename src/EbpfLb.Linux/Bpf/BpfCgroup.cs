// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Cgroups;

namespace EbpfLb.Linux.Bpf;

public static unsafe class BpfCgroup
{
    private const uint BPF_F_QUERY_EFFECTIVE = 1;

    /// <summary>Ids of the programs at a hook of a cgroup, in the order they run.</summary>
    /// <param name="effective">Inherited ones too; <paramref name="attachFlags"/> is 0 then.</param>
    /// <param name="attachFlags">0 a single program that nothing may join, 1 overridable below, 2 many.</param>
    public static IReadOnlyList<uint> QueryPrograms(CgroupDirectory cgroup, BpfAttachType type, bool effective, out uint attachFlags)
    {
        using Lease lease = new(cgroup.Directory.Handle);
        for (int capacity = 64; ; capacity *= 2)
        {
            uint[] ids = new uint[capacity];
            fixed (uint* pointer = ids)
            {
                BpfAttr.Query attr = new()
                {
                    TargetFd = lease.Descriptor,
                    AttachType = (uint)type,
                    QueryFlags = effective ? BPF_F_QUERY_EFFECTIVE : 0,
                    ProgIds = (ulong)pointer,
                    ProgCnt = (uint)capacity,
                };
                Errno errno = BpfSyscall.InvokeOnce(BpfCommand.ProgQuery, ref attr, out _);
                if (errno is Errno.EINTR)
                    capacity /= 2;
                if (errno is Errno.ENOSPC or Errno.EINTR)
                    continue;
                if (errno != Errno.None)
                    throw new LinuxException($"query the programs of cgroup {cgroup.Path} ({type})", errno);
                attachFlags = attr.AttachFlags;
                return ids[..(int)attr.ProgCnt];
            }
        }
    }
}
