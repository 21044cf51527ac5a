// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using KernelDatapath = EbpfLb.Datapath.Loading.Datapath;

namespace EbpfLb.Agent;

/// <summary>Something that is made of the programs of the datapath, and made anew when they are others. For one task.</summary>
internal sealed class PerPrograms<T> : IDisposable
    where T : class, IDisposable
{
    private readonly KernelDatapath _datapath;
    private readonly Func<string, T?> _open;
    private string _directory;
    private T _current;

    private PerPrograms(KernelDatapath datapath, Func<string, T?> open, T first)
    {
        _datapath = datapath;
        _open = open;
        _directory = datapath.ProgramDirectory;
        _current = first;
    }

    /// <param name="open">From the directory that the programs are in; null where they are not.</param>
    public static PerPrograms<T>? TryOpen(KernelDatapath datapath, Func<string, T?> open) =>
        open(datapath.ProgramDirectory) is { } first ? new PerPrograms<T>(datapath, open, first) : null;

    public TResult Use<TResult>(Func<T, TResult> function) => _datapath.Use(() =>
    {
        if (_directory != _datapath.ProgramDirectory && _open(_datapath.ProgramDirectory) is { } made)
        {
            _current.Dispose();
            _current = made;
            _directory = _datapath.ProgramDirectory;
        }

        return function(_current);
    });

    public void Dispose() => _current.Dispose();
}
