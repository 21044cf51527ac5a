// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Bpf;

/// <summary>The tcx hooks of network devices (Linux 6.6), where programs of several owners run one after the other.</summary>
public static unsafe class BpfTcx
{
    /// <summary>
    /// Ids of the programs at a hook of a device of this thread's network namespace, in the order they run. Filters of classic tc are not
    /// among them.
    /// </summary>
    public static IReadOnlyList<uint> QueryPrograms(int ifindex, bool egress)
    {
        for (int capacity = 64; ; capacity *= 2)
        {
            uint[] ids = new uint[capacity];
            fixed (uint* pointer = ids)
            {
                BpfAttr.Query attr = new()
                {
                    TargetFd = (uint)ifindex,
                    AttachType = (uint)TypeOf(egress),
                    ProgIds = (ulong)pointer,
                    ProgCnt = (uint)capacity,
                };
                Errno errno = BpfSyscall.InvokeOnce(BpfCommand.ProgQuery, ref attr, out _);
                if (errno is Errno.EINTR)
                    capacity /= 2;
                if (errno is Errno.ENOSPC or Errno.EINTR)
                    continue;
                // A device that never had a program at this hook.
                if (errno == Errno.ENOENT)
                    return [];
                if (errno != Errno.None)
                    throw new LinuxException($"query the programs of device {ifindex} ({TypeOf(egress)})", errno);
                return ids[..(int)attr.ProgCnt];
            }
        }
    }

    internal static BpfAttachType TypeOf(bool egress) => egress ? BpfAttachType.TcxEgress : BpfAttachType.TcxIngress;
}
