// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Processes;

namespace EbpfLb.Linux.Tests.Processes;

public sealed class ProcStatusTests
{
    [Fact]
    public void Effective_capabilities_are_a_hexadecimal_mask()
    {
        string[] status = ["Name:\tx", "CapPrm:\t0000000000000000", "CapEff:\t000000c000001000", "CapBnd:\t0000000000000000"];

        ulong mask = Capabilities.Read(status, "CapEff:");

        Assert.Equal((1ul << Capabilities.CAP_BPF) | (1ul << Capabilities.CAP_PERFMON) | (1ul << Capabilities.CAP_NET_ADMIN), mask);
    }

    [PrivilegedFact]
    public void A_process_that_may_mount_has_the_capability_for_it() => Assert.True(Capabilities.HasEffective(Capabilities.CAP_SYS_ADMIN));

    [Fact]
    public void A_capability_that_does_not_exist_is_had_by_nobody() => Assert.False(Capabilities.HasEffective(63));

    [Fact]
    public void The_effective_user_is_the_one_of_the_kernel()
        => Assert.Equal(Environment.IsPrivilegedProcess, ProcessIdentity.EffectiveUid == 0);

    [Fact]
    public void Possible_CPUs_are_counted_up_to_the_highest()
    {
        Assert.Equal(1, PossibleCpus.Parse("0\n"));
        Assert.Equal(4, PossibleCpus.Parse("0-3\n"));
        Assert.Equal(10, PossibleCpus.Parse("0-3,8-9\n"));
    }
}
