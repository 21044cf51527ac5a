// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Netlink;

namespace EbpfLb.Linux.Tests.Bpf;

/// <summary>On the kernel of the tests, which has all of it, and for things that no kernel has.</summary>
public sealed class BpfProbeTests
{
    private const int MapLookup = 1;
    private const int SetRetval = 187;
    private const int NoSuchHelper = 9999;

    [PrivilegedFact]
    public void A_helper_is_there_for_some_types_of_programs_and_not_for_others()
    {
        Assert.True(BpfProbe.HasHelper(BpfProgramType.SchedCls, default, MapLookup));
        Assert.True(BpfProbe.HasHelper(BpfProgramType.CgroupSockAddr, BpfAttachType.CgroupInet4Connect, SetRetval));
        Assert.False(BpfProbe.HasHelper(BpfProgramType.Xdp, default, SetRetval));
        Assert.False(BpfProbe.HasHelper(BpfProgramType.SchedCls, default, NoSuchHelper));
    }

    [PrivilegedFact]
    public void Types_of_programs_and_hooks_are_found()
    {
        Assert.True(BpfProbe.HasProgramType(BpfProgramType.Syscall, sleepable: true));
        Assert.False(BpfProbe.HasProgramType((BpfProgramType)999));
        Assert.True(BpfProbe.HasLinks());
        Assert.True(BpfProbe.HasTcx());
        Assert.True(BpfProbe.HasKernelTypes());
        Assert.True(NetdevFeatures.IsPresent());
    }
}
