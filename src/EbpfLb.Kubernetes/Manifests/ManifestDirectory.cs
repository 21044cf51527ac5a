// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Manifests.Source;
using EbpfLb.Kubernetes.Translation;
using EbpfLb.LoadBalancing.State;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Kubernetes.Manifests;

/// <summary>
/// The source that reads Kubernetes objects from the files of a directory and keeps the cluster state equal to them. A file is taken
/// whole or not at all: while it is bad, its last good version stays in force.
/// </summary>
public sealed class ManifestDirectory
{
    public const string SourceName = "manifests";

    private readonly string _path;
    private readonly ClusterStateWriter _writer;
    private readonly IAsyncEnumerable<string?> _changes;
    private readonly ILogger<ManifestDirectory> _logger;
    private readonly TimeProvider _time;
    private readonly ManifestDirectoryOptions _options;
    private readonly ChangeQueue _queue = new();
    private readonly ManifestCollection _files;

    // Once complete, the source stays so: a file that becomes bad later keeps its last good version.
    private bool _listed;
    private volatile IReadOnlyList<ManifestProblem> _problems = [];

    /// <param name="path">May be a link to a directory.</param>
    /// <param name="writer">Gets this source registered at once, and every change in one batch for each look.</param>
    /// <param name="changes">
    /// Names of files in the directory after they changed, came or went; null when any may have. A file that is being written should
    /// be told when it is closed, a link when it is made. Must be listening from the first MoveNextAsync on. When it ends, changes are
    /// found by looking; when it fails, so does <see cref="RunAsync"/>.
    /// </param>
    public ManifestDirectory(string path, ClusterStateWriter writer, IAsyncEnumerable<string?> changes, ILogger<ManifestDirectory> logger,
        TimeProvider time, ManifestDirectoryOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(writer);
        _path = path;
        _writer = writer;
        _changes = changes;
        _logger = logger;
        _time = time;
        _options = options ?? new ManifestDirectoryOptions();
        _files = new ManifestCollection(path, _options, time, logger);
        writer.RegisterSource(SourceName);
    }

    /// <summary>A snapshot, ordered by file and line. Any thread may read it.</summary>
    public IReadOnlyList<ManifestProblem> CurrentProblems => _problems;

    /// <summary>Every change that was told has been looked at and published.</summary>
    internal bool IsIdle => _queue.IsIdle;

    /// <summary>For a caller that wants to fail before it starts anything.</summary>
    /// <exception cref="ManifestDirectoryException">The directory cannot be listed.</exception>
    public static void Verify(string path) => _ = DirectoryListing.ReadOrThrow(path);

    /// <summary>Reads everything, then follows the changes until it is stopped.</summary>
    /// <exception cref="ManifestDirectoryException">The directory cannot be listed at the start.</exception>
    public async Task RunAsync(CancellationToken stopping)
    {
        using var stopPump = CancellationTokenSource.CreateLinkedTokenSource(stopping);

        // Listening comes before the first look, so that nothing falls between the two.
        var pump = PumpAsync(stopPump.Token);
        try
        {
            await Task.Run(() => LoadAll(stopping), stopping).ConfigureAwait(false);
            await FollowAsync(stopping).ConfigureAwait(false);
        }
        finally
        {
            await stopPump.CancelAsync().ConfigureAwait(false);
            await pump.ConfigureAwait(false);
        }
    }

    private async Task PumpAsync(CancellationToken stopping)
    {
        try
        {
            await foreach (string? name in _changes.WithCancellation(stopping).ConfigureAwait(false))
                _queue.Add(name);
            _logger.NoMoreEvents(PrintableText.Escape(_path), _options.RescanInterval.TotalSeconds);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
        catch (Exception error)
        {
            // Whatever it is, the task that follows the changes throws it.
            _queue.Fail(error);
        }
    }

    private void LoadAll(CancellationToken stopping)
    {
        long start = _time.GetTimestamp();
        var batch = new ChangeBatch();
        _files.LoadAll(batch, stopping);
        Publish(batch);
        _logger.Listed(PrintableText.Escape(_path), _files.FileCount, _files.Owners.Count, _files.BadFileCount,
            (long)_time.GetElapsedTime(start).TotalMilliseconds);
        if (!_listed)
        {
            _logger.NotComplete(_files.BadFileCount);
            _writer.SetListed(SourceName, complete: false);
        }
    }

    private async Task FollowAsync(CancellationToken stopping)
    {
        await using var rescanTimer = _time.CreateTimer(static queue => ((ChangeQueue)queue!).AddRescan(), _queue,
            _options.RescanInterval, Timeout.InfiniteTimeSpan);
        while (true)
        {
            var changes = await _queue.TakeAsync(stopping).ConfigureAwait(false);
            var batch = new ChangeBatch();
            if (changes.Names.Count > 0)
                _files.Reread(changes.Names, batch);
            if (changes.Everything || changes.RescanDue)
                _files.Rescan(changes.Everything ? RescanMode.Told : RescanMode.Untold, batch);

            // What is left of a file's own settling time, so events that keep coming do not put the look at it off.
            if (_files.UntilSettled is { } left)
                rescanTimer.Change(left, Timeout.InfiniteTimeSpan);
            else if (changes.RescanDue)
                rescanTimer.Change(_options.RescanInterval, Timeout.InfiniteTimeSpan);

            Publish(batch);
        }
    }

    private void Publish(ChangeBatch batch)
    {
        if (batch.Build(_files.Owners, _options.NodeName) is { } change)
        {
            _writer.Apply(change);
            _logger.Applied(change.UpsertedServices.Count, change.RemovedServices.Count, change.UpsertedSlices.Count,
                change.RemovedSlices.Count);
        }

        if (!_listed && _files.IsComplete)
        {
            _listed = true;
            _writer.SetListed(SourceName, complete: true);
            _logger.Complete();
        }

        if (batch.ProblemsChanged)
        {
            _problems = _files.ToProblems();
            _options.ProblemsChanged?.Invoke(_problems);
        }
    }
}
