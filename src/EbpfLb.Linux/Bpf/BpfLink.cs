// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Cgroups;

namespace EbpfLb.Linux.Bpf;

/// <summary>
/// A program in place at a hook, for as long as a descriptor or a pin of the link lives. Links on a cgroup stand beside each other and beside
/// programs attached with BPF_F_ALLOW_MULTI, links at a tcx hook beside each other; a device has room for one XDP program. Nobody else's is
/// replaced.
/// </summary>
public sealed class BpfLink : IDisposable
{
    private BpfLink(BpfHandle handle)
    {
        Handle = handle;
    }

    /// <summary>As the kernel says now: the program changes with an update, the cgroup or the device goes with a detachment.</summary>
    public BpfLinkInfo Info
    {
        get
        {
            BpfAttr.LinkInfo info = default;
            BpfObjectInfo.Fill(Handle, ref info, "a link");
            BpfLinkType type = (BpfLinkType)info.Type;
            return type switch
            {
                BpfLinkType.Cgroup => new(info.Id, type, info.ProgId, info.CgroupId, (BpfAttachType)info.CgroupAttachType),
                BpfLinkType.Xdp => new(info.Id, type, info.ProgId, 0, BpfAttachType.Xdp, (int)info.Ifindex),
                BpfLinkType.Tcx => new(info.Id, type, info.ProgId, 0, (BpfAttachType)info.TcxAttachType, (int)info.Ifindex),
                _ => new(info.Id, type, info.ProgId, 0, default),
            };
        }
    }

    internal BpfHandle Handle { get; }

    /// <summary>EPERM when a program attached without BPF_F_ALLOW_MULTI holds the hook, here or above.</summary>
    public static BpfLink AttachCgroup(BpfProgram program, CgroupDirectory cgroup, BpfAttachType type)
    {
        using Lease programLease = new(program.Handle);
        using Lease cgroupLease = new(cgroup.Directory.Handle);
        BpfAttr.LinkCreate attr = new()
        {
            ProgFd = programLease.Descriptor,
            TargetFd = cgroupLease.Descriptor,
            AttachType = (uint)type,
        };
        Errno errno = BpfSyscall.Invoke(BpfCommand.LinkCreate, ref attr, out int descriptor);
        if (errno != Errno.None)
            throw new LinuxException($"attach program {program.Info.Name} to cgroup {cgroup.Path} ({type})", errno);
        return new BpfLink(new BpfHandle(descriptor));
    }

    /// <summary>
    /// To a device of this thread's network namespace. EBUSY when another program is there, EEXIST when it runs in the other mode, EINVAL
    /// when there is no such device; EOPNOTSUPP, EINVAL, ERANGE and the like when the driver cannot, or not with this MTU or these features.
    /// </summary>
    public static BpfLink AttachXdp(BpfProgram program, int ifindex, XdpMode mode)
    {
        if (mode is not (XdpMode.Generic or XdpMode.Native))
            throw new ArgumentOutOfRangeException(nameof(mode), mode, "one of generic and native");
        return AttachDevice(program, ifindex, BpfAttachType.Xdp, (uint)mode);
    }

    /// <summary>
    /// Last at a hook of a device of this thread's network namespace. ENODEV when there is no such device, EINVAL on kernels without tcx.
    /// </summary>
    public static BpfLink AttachTcx(BpfProgram program, int ifindex, bool egress)
        => AttachDevice(program, ifindex, BpfTcx.TypeOf(egress), flags: 0);

    public static BpfLink OpenPinned(string path) => new(PinPath.Open(path, "link"));

    /// <summary>False when nothing is pinned there; anything else that fails is an exception.</summary>
    public static bool TryOpenPinned(string path, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out BpfLink? link)
    {
        BpfHandle? handle = PinPath.OpenIfPinned(path, "link");
        link = handle is null ? null : new BpfLink(handle);
        return link is not null;
    }

    /// <summary>Takes CAP_SYS_ADMIN.</summary>
    public static BpfLink FromId(uint id) => new(BpfObjectInfo.OpenById(BpfCommand.LinkGetFdById, id, "link"));

    /// <summary>Replaces the program at once: every event sees the old one or the new one. ENOLINK after a detachment.</summary>
    public void Update(BpfProgram @new)
    {
        using Lease linkLease = new(Handle);
        using Lease programLease = new(@new.Handle);
        BpfAttr.LinkUpdate attr = new() { LinkFd = linkLease.Descriptor, NewProgFd = programLease.Descriptor };
        Errno errno = BpfSyscall.Invoke(BpfCommand.LinkUpdate, ref attr, out _);
        if (errno != Errno.None)
            throw new LinuxException($"update a link to program {@new.Info.Name}", errno);
    }

    public void Pin(string path) => PinPath.Pin(Handle, path, "link");

    /// <summary>Takes the program off its hook, whoever else still holds the link.</summary>
    public void Detach()
    {
        using Lease lease = new(Handle);
        BpfAttr.LinkDetach attr = new() { LinkFd = lease.Descriptor };
        Errno errno = BpfSyscall.Invoke(BpfCommand.LinkDetach, ref attr, out _);
        if (errno != Errno.None)
            throw new LinuxException("detach a link", errno);
    }

    public void Dispose() => Handle.Dispose();

    private static BpfLink AttachDevice(BpfProgram program, int ifindex, BpfAttachType type, uint flags)
    {
        using Lease lease = new(program.Handle);
        BpfAttr.LinkCreate attr = new()
        {
            ProgFd = lease.Descriptor,
            TargetFd = (uint)ifindex,
            AttachType = (uint)type,
            Flags = flags,
        };
        Errno errno = BpfSyscall.Invoke(BpfCommand.LinkCreate, ref attr, out int descriptor);
        if (errno != Errno.None)
            throw new LinuxException($"attach program {program.Info.Name} to device {ifindex} ({type})", errno);
        return new BpfLink(new BpfHandle(descriptor));
    }
}
