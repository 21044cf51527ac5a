// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Files;

namespace EbpfLb.Linux.Tests.Files;

public sealed class InotifyTests
{
    [Fact]
    public async Task A_file_that_is_written_is_seen_created_and_closed()
    {
        using TemporaryDirectory directory = new();
        using Inotify inotify = new(directory.Path);

        File.WriteAllText(directory.Combine("a.yaml"), "x");

        Assert.Equal(
            [new(InotifyKind.Created, "a.yaml"), new(InotifyKind.Written, "a.yaml")],
            await Until(inotify, InotifyKind.Written));
    }

    [Fact]
    public async Task A_rename_is_seen_from_both_names()
    {
        using TemporaryDirectory directory = new();
        File.WriteAllText(directory.Combine("old"), "x");
        File.WriteAllText(directory.Combine("new"), "x");
        using Inotify inotify = new(directory.Path);

        File.Move(directory.Combine("old"), directory.Combine("new"), overwrite: true);

        Assert.Equal(
            [new(InotifyKind.MovedFrom, "old"), new(InotifyKind.MovedTo, "new")],
            await Until(inotify, InotifyKind.MovedTo));
    }

    [Fact]
    public async Task A_deletion_is_seen()
    {
        using TemporaryDirectory directory = new();
        File.WriteAllText(directory.Combine("ä b"), "x");
        using Inotify inotify = new(directory.Path);

        File.Delete(directory.Combine("ä b"));

        Assert.Equal([new(InotifyKind.Deleted, "ä b")], await Until(inotify, InotifyKind.Deleted));
    }

    [Fact]
    public async Task A_symbolic_link_is_seen_created()
    {
        using TemporaryDirectory directory = new();
        using Inotify inotify = new(directory.Path);

        File.CreateSymbolicLink(directory.Combine("link"), "/proc/absent");

        Assert.Equal([new(InotifyKind.Created, "link")], await Until(inotify, InotifyKind.Created));
    }

    [Fact]
    public async Task A_file_that_becomes_readable_is_seen()
    {
        using TemporaryDirectory directory = new();
        File.WriteAllText(directory.Combine("a"), "x");
        using Inotify inotify = new(directory.Path);

        File.SetUnixFileMode(directory.Combine("a"), UnixFileMode.UserRead);

        Assert.Equal([new(InotifyKind.AttributesChanged, "a")], await Until(inotify, InotifyKind.AttributesChanged));
    }

    [Fact]
    public async Task Reading_ends_when_the_directory_goes()
    {
        using TemporaryDirectory directory = new();
        using Inotify inotify = new(directory.Path);
        directory.Dispose();

        List<InotifyEvent> events = [];
        await foreach (InotifyEvent seen in inotify.ReadAllAsync(Eventually.Timeout()))
            events.Add(seen);

        Assert.Equal([new(InotifyKind.DirectoryGone, null)], events);
    }

    [Fact]
    public async Task Reading_ends_when_the_directory_is_renamed()
    {
        using TemporaryDirectory directory = new();
        Directory.CreateDirectory(directory.Combine("watched"));
        using Inotify inotify = new(directory.Combine("watched"));

        Directory.Move(directory.Combine("watched"), directory.Combine("elsewhere"));

        Assert.Equal([new(InotifyKind.DirectoryGone, null)], await Until(inotify, InotifyKind.DirectoryGone));
    }

    [Fact]
    public async Task Events_the_kernel_dropped_are_reported()
    {
        int limit = int.Parse(File.ReadAllText("/proc/sys/fs/inotify/max_queued_events"), System.Globalization.CultureInfo.InvariantCulture);
        using TemporaryDirectory directory = new();
        using Inotify inotify = new(directory.Path);

        // Two events each, and nobody reads yet.
        for (int i = 0; i <= limit / 2; i++)
            File.WriteAllBytes(directory.Combine($"{i}"), []);

        List<InotifyEvent> events = await Until(inotify, InotifyKind.Overflow);
        Assert.Equal(limit, events.Count - 1);
        Assert.Equal(new(InotifyKind.Overflow, null), events[^1]);
    }

    [Fact]
    public async Task Events_follow_while_reading()
    {
        using TemporaryDirectory directory = new();
        using Inotify inotify = new(directory.Path);
        await using IAsyncEnumerator<InotifyEvent> events = inotify.ReadAllAsync(Eventually.Timeout()).GetAsyncEnumerator();

        for (int i = 0; i < 100; i++)
        {
            Directory.CreateDirectory(directory.Combine($"{i}"));
            Assert.True(await events.MoveNextAsync());
            Assert.Equal(new(InotifyKind.Created, $"{i}"), events.Current);
        }
    }

    [Fact]
    public async Task Disposal_ends_reading()
    {
        using TemporaryDirectory directory = new();
        Inotify inotify = new(directory.Path);
        await using IAsyncEnumerator<InotifyEvent> events = inotify.ReadAllAsync(Eventually.Timeout()).GetAsyncEnumerator();
        ValueTask<bool> next = events.MoveNextAsync();

        inotify.Dispose();
        inotify.Dispose();

        Assert.False(await next);
        Assert.Throws<ObjectDisposedException>(() => inotify.ReadAllAsync(default));
    }

    [Fact]
    public async Task Cancellation_ends_the_reader_and_not_the_watch()
    {
        using TemporaryDirectory directory = new();
        using Inotify inotify = new(directory.Path);
        using CancellationTokenSource stopping = new();
        await using (IAsyncEnumerator<InotifyEvent> events = inotify.ReadAllAsync(stopping.Token).GetAsyncEnumerator())
        {
            ValueTask<bool> next = events.MoveNextAsync();
            await stopping.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await next);
        }

        Directory.CreateDirectory(directory.Combine("later"));
        Assert.Equal([new(InotifyKind.Created, "later")], await Until(inotify, InotifyKind.Created));
    }

    [Fact]
    public void A_directory_that_is_absent_or_a_file_is_named()
    {
        using TemporaryDirectory directory = new();
        File.WriteAllText(directory.Combine("file"), "");

        LinuxException absent = Assert.Throws<LinuxException>(() => new Inotify(directory.Combine("absent")));
        LinuxException file = Assert.Throws<LinuxException>(() => new Inotify(directory.Combine("file")));

        Assert.Equal($"watch directory {directory.Combine("absent")}: ENOENT (No such file or directory)", absent.Message);
        Assert.Equal(Errno.ENOTDIR, file.Errno);
    }

    private static async Task<List<InotifyEvent>> Until(Inotify inotify, InotifyKind last)
    {
        List<InotifyEvent> events = [];
        await foreach (InotifyEvent seen in inotify.ReadAllAsync(Eventually.Timeout()))
        {
            events.Add(seen);
            if (seen.Kind == last)
                break;
        }

        return events;
    }
}
