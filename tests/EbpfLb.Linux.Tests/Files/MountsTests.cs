// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Files;

namespace EbpfLb.Linux.Tests.Files;

public sealed class MountsTests
{
    [Fact]
    public void Escapes_of_the_kernel_are_undone()
    {
        string[] lines =
        [
            @"none /run/my\040bpf bpf rw,nosuid,mode=700 0 0",
            @"dev\043one /a\011tab\012line\134040 tmpfs ro 0 0",
            "cgroup2 /sys/fs/cgroup cgroup2 rw,relatime 0 0",
        ];

        IReadOnlyList<Mount> mounts = Mounts.Parse(lines);

        Assert.Equal(new Mount("none", "/run/my bpf", "bpf", "rw,nosuid,mode=700"), mounts[0]);
        Assert.Equal(new Mount("dev#one", "/a\ttab\nline\\040", "tmpfs", "ro"), mounts[1]);
        Assert.Equal([false, true, false], mounts.Select(mount => mount.IsReadOnly));
    }

    [Fact]
    public void A_backslash_that_is_no_escape_stays()
        => Assert.Equal(@"/a\04", Assert.Single(Mounts.Parse([@"none /a\04 tmpfs rw 0 0"])).MountPoint);

    [PrivilegedFact]
    public void A_mount_with_a_space_in_its_path_is_found_by_type()
    {
        using TemporaryDirectory directory = new();
        string target = directory.Combine("with space");
        Directory.CreateDirectory(target);
        Mounts.MountBpf(target);
        try
        {
            Mount mount = Assert.Single(Mounts.FindAll("bpf"), mount => mount.MountPoint == target);
            Assert.False(mount.IsReadOnly);
            using DirectoryHandle handle = DirectoryHandle.Open(target);
            UnixFileMode mode = handle.Stat().Mode & ~UnixFileMode.StickyBit;
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, mode);
            Assert.Equal(Errno.EBUSY, Assert.Throws<LinuxException>(() => Mounts.Unmount(target)).Errno);
        }
        finally
        {
            Mounts.Unmount(target, detach: true);
        }

        Assert.DoesNotContain(Mounts.FindAll("bpf"), mount => mount.MountPoint == target);
    }

    [PrivilegedFact]
    public void Mounting_on_nothing_names_the_directory()
    {
        LinuxException exception = Assert.Throws<LinuxException>(() => Mounts.MountBpf("/proc/absent"));

        Assert.Equal("mount a BPF file system on /proc/absent: ENOENT (No such file or directory)", exception.Message);
    }
}
