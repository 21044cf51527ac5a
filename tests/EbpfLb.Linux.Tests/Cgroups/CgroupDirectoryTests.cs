// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Cgroups;

namespace EbpfLb.Linux.Tests.Cgroups;

public sealed class CgroupDirectoryTests
{
    [PrivilegedFact]
    public void A_directory_of_another_file_system_is_refused()
    {
        using TemporaryDirectory directory = new();

        LinuxException exception = Assert.Throws<LinuxException>(() => CgroupDirectory.Open(directory.Path));
        Assert.Equal(
            $"open cgroup {directory.Path}: EINVAL (Invalid argument): it is not on a cgroup2 file system", exception.Message);
    }

    [PrivilegedFact]
    public void A_cgroup_is_opened_through_a_symbolic_link()
    {
        using ChildCgroup cgroup = new();
        using TemporaryDirectory directory = new();
        File.CreateSymbolicLink(directory.Combine("link"), cgroup.Path);

        using CgroupDirectory opened = CgroupDirectory.Open(directory.Combine("link"));
        Assert.Equal(cgroup.Directory.Id, opened.Id);
    }

    [Fact]
    public void A_cgroup_that_is_absent_is_ENOENT()
        => Assert.Equal(Errno.ENOENT, Assert.Throws<LinuxException>(() => CgroupDirectory.Open("/proc/absent")).Errno);
}
