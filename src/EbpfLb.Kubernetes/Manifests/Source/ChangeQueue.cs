// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Manifests.Source;

/// <summary>
/// Names of changed files between the task that hears of them and the task that reads them. A name waits once, however often it is
/// told; more names than fit become a look at everything, so the queue stays small whatever happens in the directory.
/// </summary>
internal sealed class ChangeQueue
{
    private const int Limit = 4096;

    private readonly Lock _gate = new();

    // Everything below is read and written with _gate held.
    private SortedSet<string> _names = new(StringComparer.Ordinal);
    private bool _everything;
    private bool _rescanDue;
    private bool _isAwaited;
    private TaskCompletionSource _news = NewSignal();

    /// <summary>Somebody waits in <see cref="TakeAsync"/>, and there is nothing to take.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_gate)
                return _isAwaited && !_news.Task.IsCompleted;
        }
    }

    /// <param name="name">Null for a change that may be anywhere.</param>
    public void Add(string? name)
    {
        lock (_gate)
        {
            if (name is null || ManifestFileName.IsVolumeInternal(name) || _names.Count == Limit)
            {
                _everything = true;
                _names.Clear();
            }
            else if (ManifestFileName.IsManifest(name) && !_everything)
            {
                _names.Add(name);
            }
            else
            {
                return;
            }

            _news.TrySetResult();
        }
    }

    /// <summary>It is time to look for changes that nothing told of.</summary>
    public void AddRescan()
    {
        lock (_gate)
        {
            _rescanDue = true;
            _news.TrySetResult();
        }
    }

    /// <summary>Nothing more will come, for a reason that the taker must hear.</summary>
    public void Fail(Exception reason)
    {
        lock (_gate)
        {
            _news.TrySetException(reason);
            if (!_news.Task.IsFaulted)
            {
                _news = NewSignal();
                _news.SetException(reason);
            }
        }
    }

    public async Task<PendingChanges> TakeAsync(CancellationToken cancellationToken)
    {
        Task news;
        lock (_gate)
        {
            news = _news.Task;
            _isAwaited = true;
        }

        await news.WaitAsync(cancellationToken).ConfigureAwait(false);
        lock (_gate)
        {
            var taken = new PendingChanges(_names, _everything, _rescanDue);
            _isAwaited = false;
            _names = new SortedSet<string>(StringComparer.Ordinal);
            _everything = false;
            _rescanDue = false;
            if (!_news.Task.IsFaulted)
                _news = NewSignal();
            return taken;
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <param name="Names">Ordered, each once.</param>
/// <param name="Everything">Any file may have changed.</param>
/// <param name="RescanDue">It is time for a look that nobody asked for.</param>
internal readonly record struct PendingChanges(IReadOnlyCollection<string> Names, bool Everything, bool RescanDue);
