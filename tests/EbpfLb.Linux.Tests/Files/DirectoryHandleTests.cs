// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using EbpfLb.Linux.Files;
using EbpfLb.Linux.Processes;

namespace EbpfLb.Linux.Tests.Files;

public sealed class DirectoryHandleTests
{
    [Fact]
    public void The_status_tells_owner_and_mode()
    {
        using TemporaryDirectory directory = new();
        UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.StickyBit;
        File.SetUnixFileMode(directory.Path, mode);
        using DirectoryHandle handle = DirectoryHandle.Open(directory.Path);

        FileStatus status = handle.Stat();

        Assert.Equal(ProcessIdentity.EffectiveUid, status.Uid);
        Assert.Equal(mode, status.Mode);
        Assert.NotEqual(0ul, status.Inode);
        File.SetUnixFileMode(directory.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public void A_symbolic_link_is_followed_only_when_asked()
    {
        using TemporaryDirectory directory = new();
        string link = directory.Combine("link");
        Directory.CreateDirectory(directory.Combine("target"));
        File.CreateSymbolicLink(link, directory.Combine("target"));

        LinuxException exception = Assert.Throws<LinuxException>(() => DirectoryHandle.Open(link));
        Assert.True(exception.Errno is Errno.ENOTDIR or Errno.ELOOP);
        Assert.StartsWith($"open directory {link}", exception.Message, StringComparison.Ordinal);
        using DirectoryHandle followed = DirectoryHandle.Open(link, followLink: true);
        using DirectoryHandle target = DirectoryHandle.Open(directory.Combine("target"));
        Assert.Equal(target.Stat(), followed.Stat());
    }

    [Fact]
    public void An_absent_directory_is_told_apart_from_a_file()
    {
        using TemporaryDirectory directory = new();
        File.WriteAllText(directory.Combine("file"), "");

        Assert.False(DirectoryHandle.TryOpen(directory.Combine("absent"), out _));
        Assert.Equal(Errno.ENOTDIR, Assert.Throws<LinuxException>(() => DirectoryHandle.TryOpen(directory.Combine("file"), out _)).Errno);
    }

    [PrivilegedFact]
    public void A_BPF_file_system_is_recognised()
    {
        using PrivateBpffs bpffs = new();
        using TemporaryDirectory other = new();
        using DirectoryHandle inside = DirectoryHandle.Open(bpffs.Path);
        using DirectoryHandle outside = DirectoryHandle.Open(other.Path);

        Assert.True(BpfFileSystem.Contains(inside));
        Assert.False(BpfFileSystem.Contains(outside));
    }

    [Fact]
    public void A_second_handle_does_not_get_the_lock_until_the_first_is_closed()
    {
        using TemporaryDirectory directory = new();
        using DirectoryHandle second = DirectoryHandle.Open(directory.Path);
        using (DirectoryHandle first = DirectoryHandle.Open(directory.Path))
        {
            Assert.True(first.TryLockExclusive());
            Assert.True(first.TryLockExclusive());
            Assert.False(second.TryLockExclusive());
            Assert.Equal(Environment.ProcessId, second.FindLockHolder());
        }

        Assert.True(second.TryLockExclusive());
    }

    [PrivilegedFact]
    public async Task The_holder_of_a_lock_on_a_BPF_file_system_is_found_in_another_process()
    {
        using PrivateBpffs bpffs = new();
        using DirectoryHandle handle = DirectoryHandle.Open(bpffs.Path);
        Assert.Null(handle.FindLockHolder());

        // exec keeps the PID all along: flock, sh, cat.
        ProcessStartInfo start = new("flock", ["--no-fork", bpffs.Path, "sh", "-c", "echo locked; exec cat"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using Process holder = Process.Start(start)!;
        Assert.Equal("locked", await holder.StandardOutput.ReadLineAsync(Eventually.Timeout()));

        Assert.False(handle.TryLockExclusive());
        Assert.Equal(holder.Id, handle.FindLockHolder());

        holder.StandardInput.Close();
        await holder.WaitForExitAsync(Eventually.Timeout());
        Assert.True(handle.TryLockExclusive());
    }

    [Fact]
    public void Lock_holders_are_told_by_device_and_inode()
    {
        string[] locks =
        [
            "1: POSIX  ADVISORY  WRITE 100 00:27:1 0 EOF",
            "2: FLOCK  ADVISORY  WRITE 200 00:27:12 0 EOF",
            "2: -> FLOCK  ADVISORY  WRITE 300 00:27:1 0 EOF",
            "3: FLOCK  ADVISORY  WRITE 400 fd:27:1 0 EOF",
            "4: FLOCK  ADVISORY  WRITE 500 00:27:1 0 EOF",
        ];

        Assert.Equal(500, DirectoryHandle.FindLockHolder(locks, "00:27:1"));
        Assert.Equal(400, DirectoryHandle.FindLockHolder(locks, "fd:27:1"));
        Assert.Null(DirectoryHandle.FindLockHolder(locks, "00:27:2"));
    }
}
