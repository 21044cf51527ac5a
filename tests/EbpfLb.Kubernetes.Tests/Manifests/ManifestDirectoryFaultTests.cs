// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using EbpfLb.Kubernetes.Manifests;
using EbpfLb.Kubernetes.Manifests.Source;
using EbpfLb.Kubernetes.Tests.Support;
using EbpfLb.Kubernetes.Translation;
using EbpfLb.LoadBalancing.State;

namespace EbpfLb.Kubernetes.Tests.Manifests;

/// <summary>What a file system can do to the source, and what nobody tells it of.</summary>
public sealed class ManifestDirectoryFaultTests : IAsyncLifetime, IAsyncDisposable
{
    private readonly ManifestFixture _fixture = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    // Only this interface's method is called by the runner.
    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    [Fact]
    public async Task Directory_that_does_not_exist_stops_the_start_with_what_to_do()
    {
        Directory.Delete(_fixture.DirectoryPath);
        var error = await Assert.ThrowsAsync<ManifestDirectoryException>(_fixture.StartAsync);

        Assert.Equal($"The manifest directory '{_fixture.DirectoryPath}' does not exist. Create it, or name the directory that holds the "
            + "manifests.", error.Message);
        Assert.False(_fixture.Writer.IsComplete);
    }

    [Fact]
    public void File_in_place_of_the_directory_is_told()
    {
        File.WriteAllText(_fixture.PathOf("web.yaml"), "x");
        var error = Assert.Throws<ManifestDirectoryException>(() => ManifestDirectory.Verify(_fixture.PathOf("web.yaml")));

        Assert.EndsWith("is a file. Name the directory that holds the manifests.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Directory_behind_a_link_that_leads_nowhere_is_told()
    {
        Directory.CreateSymbolicLink(_fixture.PathOf("loop"), _fixture.PathOf("loop"));

        Assert.Throws<ManifestDirectoryException>(() => ManifestDirectory.Verify(_fixture.PathOf("loop")));
    }

    [Fact]
    public void Directory_behind_a_link_is_as_good_as_any()
    {
        string link = Path.Combine(_fixture.OutsidePath, "link");
        Directory.CreateSymbolicLink(link, _fixture.DirectoryPath);

        ManifestDirectory.Verify(link);
    }

    [Fact]
    public async Task Directory_that_vanishes_takes_nothing_with_it_and_is_told_once()
    {
        _fixture.Write("web.yaml", ManifestText.Service());
        await _fixture.StartAsync();
        string away = Path.Combine(_fixture.OutsidePath, "away");
        Directory.Move(_fixture.DirectoryPath, away);

        await _fixture.TellAsync("web.yaml", null);
        await _fixture.RescanAsync();
        Assert.Equal(1, _fixture.Logger.CountOf(2007));
        Assert.Equal("web", _fixture.ServiceNames);
        Assert.Contains("cannot be listed", Assert.Single(_fixture.Problems).Message, StringComparison.Ordinal);

        Directory.Move(away, _fixture.DirectoryPath);
        File.Delete(_fixture.PathOf("web.yaml"));
        await _fixture.TellAsync((string?)null);
        Assert.Equal("", _fixture.ServiceNames);
        Assert.Equal((1, 1), (_fixture.Logger.CountOf(2007), _fixture.Logger.CountOf(2008)));
        Assert.Empty(_fixture.Problems);
    }

    [Fact]
    public async Task Link_to_a_file_is_followed_and_its_target_is_looked_after()
    {
        string target = Path.Combine(_fixture.OutsidePath, "target");
        await File.WriteAllTextAsync(target, ManifestText.Service(port: "80"));
        File.CreateSymbolicLink(_fixture.PathOf("web.yaml"), "../target");
        await _fixture.StartAsync();
        Assert.Equal(80, _fixture.Service("web")!.Ports[0].Port);

        // Nobody tells of a change outside of the directory. It is found by looking twice.
        await File.WriteAllTextAsync(target, ManifestText.Service(port: "8080"));
        await _fixture.RescanAsync();
        Assert.Equal(80, _fixture.Service("web")!.Ports[0].Port);
        await _fixture.RescanAsync(_fixture.Options.SettleTime);
        Assert.Equal(8080, _fixture.Service("web")!.Ports[0].Port);
    }

    [Fact]
    public async Task File_that_is_still_being_written_is_left_until_it_has_settled()
    {
        await _fixture.StartAsync();
        string path = _fixture.PathOf("web.yaml");
        await File.WriteAllTextAsync(path, ManifestText.Service() + "---\n");
        await _fixture.RescanAsync();
        for (int i = 0; i < 3; i++)
        {
            await File.AppendAllTextAsync(path, ManifestText.Service($"part-{i}", $"10.96.1.{i + 1}") + "---\n");
            await _fixture.RescanAsync(_fixture.Options.SettleTime);
            Assert.Equal("", _fixture.ServiceNames);
        }

        await _fixture.RescanAsync(_fixture.Options.SettleTime);
        Assert.Equal("part-0 part-1 part-2 web", _fixture.ServiceNames);
    }

    [Fact]
    public async Task New_file_that_is_still_empty_is_told_only_when_it_stays_so()
    {
        await _fixture.StartAsync();
        await File.WriteAllTextAsync(_fixture.PathOf("web.yaml"), "");
        await File.WriteAllTextAsync(_fixture.PathOf("never.yaml"), "");
        await _fixture.TellAsync("web.yaml", "never.yaml");
        Assert.Empty(_fixture.Logger.Warnings);

        await File.WriteAllTextAsync(_fixture.PathOf("web.yaml"), ManifestText.Service());
        await _fixture.TellAsync("web.yaml");
        Assert.Equal("web", _fixture.ServiceNames);

        await _fixture.RescanAsync();
        Assert.Empty(_fixture.Logger.Warnings);
        await _fixture.RescanAsync(_fixture.Options.SettleTime);
        Assert.Equal("never.yaml", Assert.Single(_fixture.Problems).File);
    }

    [Fact]
    public async Task Deletion_that_nothing_told_of_is_found_by_the_rescan()
    {
        _fixture.Write("web.yaml", ManifestText.Service());
        await _fixture.StartAsync();
        File.Delete(_fixture.PathOf("web.yaml"));
        await _fixture.RescanAsync();

        Assert.Equal("", _fixture.ServiceNames);
    }

    [Fact]
    public async Task Rename_that_nothing_told_of_changes_nothing()
    {
        _fixture.Write("a.yaml", ManifestText.Service());
        await _fixture.StartAsync();
        _fixture.Take();
        _fixture.Batches.Clear();
        File.Move(_fixture.PathOf("a.yaml"), _fixture.PathOf("b.yaml"));
        await _fixture.RescanAsync();
        await _fixture.RescanAsync(_fixture.Options.SettleTime);

        Assert.Equal("web", _fixture.ServiceNames);
        Assert.Empty(_fixture.Batches);
        File.Delete(_fixture.PathOf("b.yaml"));
        await _fixture.TellAsync("b.yaml");
        Assert.Equal("", _fixture.ServiceNames);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task File_that_moved_and_changed_keeps_its_objects_until_the_new_one_has_settled(bool isTold)
    {
        _fixture.Write("a.yaml", ManifestText.Service(port: "80"));
        await _fixture.StartAsync();
        _fixture.Take();
        _fixture.Batches.Clear();
        _fixture.Write("b.yaml", ManifestText.Service(port: "8080"));
        File.Delete(_fixture.PathOf("a.yaml"));
        if (isTold)
            await _fixture.TellAsync("a.yaml");
        else
            await _fixture.RescanAsync();
        Assert.Equal(80, _fixture.Service("web")!.Ports[0].Port);

        await _fixture.RescanAsync(_fixture.Options.SettleTime);
        Assert.Equal(8080, _fixture.Service("web")!.Ports[0].Port);
        Assert.Equal(["web"], _fixture.Batches);
        Assert.Empty(_fixture.Problems);
        Assert.Empty(_fixture.Logger.Warnings);
    }

    [Fact]
    public async Task File_that_moved_and_changed_is_forgotten_as_soon_as_the_new_one_is_told()
    {
        _fixture.Write("a.yaml", ManifestText.Service(port: "80"));
        await _fixture.StartAsync();
        _fixture.Write("b.yaml", ManifestText.Service(port: "8080"));
        File.Delete(_fixture.PathOf("a.yaml"));
        await _fixture.TellAsync("a.yaml");
        Assert.Equal(80, _fixture.Service("web")!.Ports[0].Port);

        await _fixture.TellAsync("b.yaml");
        Assert.Equal(8080, _fixture.Service("web")!.Ports[0].Port);
        Assert.Empty(_fixture.Logger.Warnings);
    }

    [Fact]
    public async Task File_that_is_written_without_end_does_not_keep_a_deleted_one_for_ever()
    {
        _fixture.Write("a.yaml", ManifestText.Service());
        await _fixture.StartAsync();
        File.Delete(_fixture.PathOf("a.yaml"));
        int looks = 0;
        do
        {
            await File.AppendAllTextAsync(_fixture.PathOf("log.yaml"), "# more\n");
            await _fixture.RescanAsync(looks == 0 ? _fixture.Options.RescanInterval : _fixture.Options.SettleTime);
            looks++;
        }
        while (_fixture.ServiceNames == "web" && looks < 100);

        Assert.Equal(11, looks);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("..data")]
    [InlineData("gone.yaml")]
    public async Task File_that_is_being_written_is_not_read_because_of_an_unrelated_event(string? told)
    {
        string both = ManifestText.Service() + "---\n" + ManifestText.Service("api", "10.96.0.11");
        _fixture.Write("all.yaml", both);
        _fixture.Write("gone.yaml", "# nothing\n");
        await _fixture.StartAsync();
        File.Delete(_fixture.PathOf("gone.yaml"));
        await File.WriteAllTextAsync(_fixture.PathOf("all.yaml"), ManifestText.Service() + "---\n");
        await File.WriteAllTextAsync(_fixture.PathOf("new.yaml"), ManifestText.Service("part", "10.96.0.12"));
        for (int i = 0; i < 3; i++)
            await _fixture.TellAsync(told);
        Assert.Equal("api web", _fixture.ServiceNames);

        // No event comes for what is written then: the rescan is a settling time away, not a whole interval.
        await File.WriteAllTextAsync(_fixture.PathOf("all.yaml"), ManifestText.Service() + "---\n" + ManifestText.Service("shop", "10.96.0.13"));
        await _fixture.RescanAsync(_fixture.Options.SettleTime);
        Assert.Equal("api part web", _fixture.ServiceNames);
        await _fixture.RescanAsync(_fixture.Options.SettleTime);
        Assert.Equal("part shop web", _fixture.ServiceNames);
    }

    [Fact]
    public async Task Events_that_keep_coming_do_not_keep_a_file_from_settling()
    {
        await _fixture.StartAsync();
        _fixture.Write("web.yaml", ManifestText.Service());
        for (int i = 0; i < 4; i++)
        {
            await _fixture.TellAsync((string?)null);
            _fixture.Time.Advance(_fixture.Options.SettleTime / 4);
        }

        await _fixture.TellAsync((string?)null);
        Assert.Equal("web", _fixture.ServiceNames);
    }

    [Fact]
    public async Task Rescan_that_comes_early_leaves_a_file_that_has_not_looked_the_same_for_long()
    {
        await _fixture.StartAsync();
        _fixture.Time.Advance(_fixture.Options.RescanInterval - (_fixture.Options.SettleTime / 2));
        _fixture.Write("web.yaml", ManifestText.Service());
        await _fixture.TellAsync((string?)null);
        await _fixture.RescanAsync(_fixture.Options.SettleTime / 2);
        Assert.Equal("", _fixture.ServiceNames);

        await _fixture.RescanAsync(_fixture.Options.SettleTime / 2);
        Assert.Equal("web", _fixture.ServiceNames);
    }

    [Fact]
    public async Task File_that_grows_while_it_is_read_is_read_whole_or_refused_and_ends_nothing()
    {
        const int Limit = 4096;
        var reader = new FileReader(_fixture.DirectoryPath, new ManifestLimits { MaxFileBytes = Limit });
        string path = _fixture.PathOf("web.yaml");
        await File.WriteAllTextAsync(path, "#");
        using var stop = new CancellationTokenSource();
        var writer = Task.Run(() =>
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            byte[] much = Enumerable.Repeat((byte)'#', 2 * Limit).ToArray();
            while (!stop.IsCancellationRequested)
            {
                RandomAccess.SetLength(file, 1);
                RandomAccess.Write(file, much, 0);
            }
        });

        string expected = $"the file cannot be read: it has more than the {Limit} bytes that are read; split it";
        try
        {
            await ManifestFixture.EventuallyAsync(() =>
                reader.Read("web.yaml", known: null).Manifest?.Problems is [var problem] && problem.Message == expected);
        }
        finally
        {
            await stop.CancelAsync();
            await writer;
        }
    }

    [Fact]
    public async Task Rescan_of_an_unchanged_directory_reads_and_changes_nothing()
    {
        _fixture.Write("web.yaml", ManifestText.Service());
        _fixture.Write("bad.yaml", "not: [valid");
        await _fixture.StartAsync();
        _fixture.Take();
        _fixture.Batches.Clear();
        int warnings = _fixture.Logger.Warnings.Count;
        for (int i = 0; i < 5; i++)
            await _fixture.RescanAsync();

        Assert.Empty(_fixture.Batches);
        Assert.Equal(warnings, _fixture.Logger.Warnings.Count);
    }

    [Theory]
    [InlineData("loop.yaml", "loop.yaml", "Too many levels of symbolic links")]
    [InlineData("dangling.yaml", "nowhere", "it is a symbolic link to 'nowhere', which does not exist")]
    [InlineData("device.yaml", "/dev/zero", "it is empty, or not a regular file")]
    public async Task Link_that_leads_to_nothing_readable_is_a_problem_of_that_file_alone(string name, string target, string expected)
    {
        File.CreateSymbolicLink(_fixture.PathOf(name), target);
        _fixture.Write("web.yaml", ManifestText.Service());
        await _fixture.StartAsync();

        Assert.Equal("web", _fixture.ServiceNames);
        var problem = Assert.Single(_fixture.Problems);
        Assert.Equal((name, Severity.Invalid), (problem.File, problem.Severity));
        Assert.Contains(expected, problem.Message, StringComparison.Ordinal);
        Assert.False(_fixture.Writer.IsComplete);

        await _fixture.WriteAndTellAsync(name, ManifestText.Service("late", "10.96.0.11"));
        Assert.Equal("late web", _fixture.ServiceNames);
        Assert.True(_fixture.Writer.IsComplete);
    }

    [Fact]
    public async Task File_that_cannot_be_opened_is_tried_again_at_every_rescan_and_told_once()
    {
        // Write-only even for root, and of a size that promises content.
        File.CreateSymbolicLink(_fixture.PathOf("locked.yaml"), "/sys/bus/cpu/drivers_probe");
        await _fixture.StartAsync();
        Assert.Contains("cannot be read", Assert.Single(_fixture.Problems).Message, StringComparison.Ordinal);
        int warnings = _fixture.Logger.Warnings.Count;

        await _fixture.RescanAsync();
        await _fixture.RescanAsync(_fixture.Options.SettleTime);
        Assert.Equal(warnings, _fixture.Logger.Warnings.Count);
    }

    [Fact]
    public async Task Fifo_is_never_opened()
    {
        await RunAsync("mkfifo", _fixture.PathOf("fifo.yaml"));
        _fixture.Write("web.yaml", ManifestText.Service());
        await _fixture.StartAsync();

        Assert.Equal("web", _fixture.ServiceNames);
        Assert.Equal("fifo.yaml", Assert.Single(_fixture.Problems).File);
    }

    [Fact]
    public async Task Directory_with_the_name_of_a_manifest_is_passed_over_with_a_word()
    {
        Directory.CreateDirectory(_fixture.PathOf("dir.yaml"));
        _fixture.Write("web.yaml", ManifestText.Service());
        await _fixture.StartAsync();

        Assert.Equal("web", _fixture.ServiceNames);
        Assert.Equal("dir.yaml: the file cannot be read: it is a directory", Assert.Single(_fixture.Problems).ToString());
        Assert.True(_fixture.Writer.IsComplete);
    }

    [Fact]
    public async Task Mounted_ConfigMap_is_exchanged_as_a_whole_in_one_batch()
    {
        CreateVersion("..v1", ("web.yaml", ManifestText.Service(port: "80")),
            ("dns.yaml", ManifestText.Service("dns", "10.96.0.11", "53")), ("old.yaml", ManifestText.Service("old", "10.96.0.12")));
        Directory.CreateSymbolicLink(_fixture.PathOf("..data"), "..v1");
        foreach (string name in (string[])["web.yaml", "dns.yaml", "old.yaml"])
            File.CreateSymbolicLink(_fixture.PathOf(name), Path.Combine("..data", name));
        await _fixture.StartAsync();
        Assert.Equal("dns old web", _fixture.ServiceNames);
        _fixture.Batches.Clear();

        // The order of the kubelet: a new directory, the link replaced, new names added, stale names removed.
        CreateVersion("..v2", ("web.yaml", ManifestText.Service(port: "81")),
            ("dns.yaml", ManifestText.Service("dns", "10.96.0.11", "54")), ("new.yaml", ManifestText.Service("new", "10.96.0.13")));
        Directory.CreateSymbolicLink(_fixture.PathOf("..data_tmp"), "..v2");
        await RunAsync("mv", "-T", _fixture.PathOf("..data_tmp"), _fixture.PathOf("..data"));
        await _fixture.TellAsync("..data_tmp", "..data");
        Assert.Equal("dns old web", _fixture.ServiceNames);
        Assert.Equal((81, 54), (_fixture.Service("web")!.Ports[0].Port, _fixture.Service("dns")!.Ports[0].Port));
        Assert.Equal(["dns web"], _fixture.Batches);

        File.CreateSymbolicLink(_fixture.PathOf("new.yaml"), "..data/new.yaml");
        File.Delete(_fixture.PathOf("old.yaml"));
        await _fixture.TellAsync("new.yaml", "old.yaml");
        Assert.Equal("dns new web", _fixture.ServiceNames);
        Assert.Empty(_fixture.Problems);
    }

    [Fact]
    public async Task End_of_the_events_leaves_the_rescan()
    {
        await _fixture.StartAsync();
        _fixture.Changes.Complete();
        await ManifestFixture.EventuallyAsync(() => _fixture.Logger.CountOf(2012) == 1);
        _fixture.Write("web.yaml", ManifestText.Service());
        await _fixture.RescanAsync();
        await _fixture.RescanAsync(_fixture.Options.SettleTime);

        Assert.Equal("web", _fixture.ServiceNames);
    }

    [Fact]
    public async Task Failure_of_the_events_fails_the_source()
    {
        await _fixture.StartAsync();
        _fixture.Changes.Complete(new IOException("inotify is gone"));

        var error = await Assert.ThrowsAsync<IOException>(() => _fixture.Run.WaitAsync(TimeSpan.FromMinutes(2)));
        Assert.Equal("inotify is gone", error.Message);
    }

    [Fact]
    public async Task Problems_are_pushed_to_who_wants_them()
    {
        var pushed = new List<int>();
        _fixture.Options = _fixture.Options with { ProblemsChanged = problems => pushed.Add(problems.Count) };
        await _fixture.StartAsync();
        await _fixture.WriteAndTellAsync("a.yaml", "not: [valid");
        await _fixture.WriteAndTellAsync("a.yaml", ManifestText.Service());

        Assert.Equal([1, 0], pushed);
    }

    [Fact]
    public void Two_sources_of_manifests_on_one_writer_are_refused()
    {
        var writer = new ClusterStateWriter();
        writer.RegisterSource(ManifestDirectory.SourceName);

        Assert.Throws<ArgumentException>(() => new ManifestDirectory(_fixture.DirectoryPath, writer, AsyncEnumerable.Empty<string?>(),
            new RecordingLogger<ManifestDirectory>(), TimeProvider.System));
    }

    private static async Task RunAsync(string command, params string[] arguments)
    {
        using var process = Process.Start(command, arguments);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }

    private void CreateVersion(string name, params (string Name, string Text)[] files)
    {
        Directory.CreateDirectory(_fixture.PathOf(name));
        foreach (var file in files)
            File.WriteAllText(Path.Combine(_fixture.PathOf(name), file.Name), file.Text);
    }
}
