// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using EbpfLb.Kubernetes.Manifests;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;

namespace EbpfLb.Kubernetes.Tests.Support;

/// <summary>A running source on a directory of its own. Events are what the test tells, time is what it advances.</summary>
internal sealed class ManifestFixture : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    private readonly TempDirectory _root = new();
    private readonly Channel<string?> _changes = Channel.CreateUnbounded<string?>();
    private readonly CancellationTokenSource _stop = new();
    private ManifestDirectory? _source;
    private Task _run = Task.CompletedTask;
    private int _temporaries;

    // The source has queued all that it was told and asks for more.
    private volatile bool _asksForMore;

    public ManifestFixture() => Directory.CreateDirectory(DirectoryPath);

    /// <summary>Below a temporary directory, so that a test may move it away.</summary>
    public string DirectoryPath => _root["manifests"];

    public string OutsidePath => _root.Path;

    public ClusterStateWriter Writer { get; } = new();

    public ManualTimeProvider Time { get; } = new();

    public RecordingLogger<ManifestDirectory> Logger { get; } = new();

    public ManifestDirectoryOptions Options { get; set; } = new() { NodeName = "node-1" };

    public IReadOnlyList<ManifestProblem> Problems => _source!.CurrentProblems;

    public ChannelWriter<string?> Changes => _changes.Writer;

    public Task Run => _run;

    /// <summary>The services that may have changed, of every batch that was taken, in order.</summary>
    public List<string> Batches { get; } = [];

    public string ServiceNames => Names(Take().ServiceNames);

    public string PathOf(string name) => Path.Combine(DirectoryPath, name);

    public async Task StartAsync()
    {
        _source = new ManifestDirectory(DirectoryPath, Writer, TellAllAsync(), Logger, Time, Options);
        _run = _source.RunAsync(_stop.Token);
        await SettleAsync();
        if (_run.IsCompleted)
            await _run;
    }

    /// <summary>As an editor saves: a new file takes the place of the old one.</summary>
    public void Write(string name, string text)
    {
        string temporary = Path.Combine(OutsidePath, $"tmp-{_temporaries++}");
        File.WriteAllText(temporary, text);
        File.Move(temporary, PathOf(name), overwrite: true);
    }

    public async Task WriteAndTellAsync(string name, string text)
    {
        Write(name, text);
        await TellAsync(name);
    }

    /// <summary>Tells of changes and waits until the source has looked at them.</summary>
    public async Task TellAsync(params string?[] names)
    {
        foreach (string? name in names)
            await _changes.Writer.WriteAsync(name);
        await SettleAsync();
    }

    public async Task RescanAsync(TimeSpan? after = null)
    {
        Time.Advance(after ?? Options.RescanInterval);
        await SettleAsync();
    }

    public ClusterState Take()
    {
        var delta = Writer.Take();
        string dirty = Names(delta.Dirty);
        if (dirty.Length > 0)
            Batches.Add(dirty);
        return delta.State;
    }

    public Service? Service(string name) => Take().FindService(new ObjectName("default", name));

    public string Endpoints(string service = "web")
    {
        var addresses = new List<string>();
        foreach (var slice in Take().SlicesOf(new ObjectName("default", service)))
            addresses.AddRange(slice.Endpoints.Select(endpoint => endpoint.Address.ToString()));
        return string.Join(" ", addresses);
    }

    public static async Task EventuallyAsync(Func<bool> condition)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (!condition())
            await Task.Delay(1, deadline.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
        _root.Dispose();
    }

    private static string Names(IEnumerable<ObjectName> names) =>
        string.Join(" ", names.Select(name => name.Name).Order(StringComparer.Ordinal));

    private async IAsyncEnumerable<string?> TellAllAsync([EnumeratorCancellation] CancellationToken stopping = default)
    {
        while (true)
        {
            _asksForMore = true;
            if (!await _changes.Reader.WaitToReadAsync(stopping))
                break;

            _asksForMore = false;
            if (_changes.Reader.TryRead(out string? name))
                yield return name;
        }
    }

    /// <summary>Waits until the source has looked at all that it was told. The order matters: each step empties into the next.</summary>
    private Task SettleAsync() =>
        EventuallyAsync(() => _run.IsCompleted || (_changes.Reader.Count == 0 && _asksForMore && _source!.IsIdle));
}
