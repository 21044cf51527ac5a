// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using Microsoft.Extensions.Logging;

namespace EbpfLb.Kubernetes.Tests.Support;

internal sealed class RecordingLogger<T> : ILogger<T>
{
    private readonly Lock _gate = new();
    private readonly List<(LogLevel Level, int Id, string Text)> _events = [];

    /// <summary>The texts of the events at least as grave as a warning, in order.</summary>
    public IReadOnlyList<string> Warnings
    {
        get
        {
            lock (_gate)
                return [.. _events.Where(entry => entry.Level >= LogLevel.Warning).Select(entry => entry.Text)];
        }
    }

    /// <summary>Of every event, in order.</summary>
    public IReadOnlyList<string> Texts
    {
        get
        {
            lock (_gate)
                return [.. _events.Select(entry => entry.Text)];
        }
    }

    public int CountOf(int id)
    {
        lock (_gate)
            return _events.Count(entry => entry.Id == id);
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        lock (_gate)
            _events.Add((logLevel, eventId.Id, formatter(state, exception)));
    }
}
