// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using Microsoft.Extensions.Logging;

namespace EbpfLb.TestSupport;

/// <summary>Keeps the texts of warnings and what is graver.</summary>
internal sealed class WarningLog<T> : ILogger<T>
{
    private readonly List<string> _lines = [];

    /// <summary>Called after each, by whoever logs.</summary>
    public Action? Written { get; set; }

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
                return [.. _lines];
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
            return;

        lock (_lines)
            _lines.Add(formatter(state, exception));
        Written?.Invoke();
    }
}
