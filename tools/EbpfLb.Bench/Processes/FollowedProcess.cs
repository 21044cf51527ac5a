// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Concurrent;
using System.Diagnostics;

namespace EbpfLb.Bench.Processes;

/// <summary>A process whose lines are stamped as they arrive. Ended when disposed.</summary>
internal class FollowedProcess : IDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private readonly BlockingCollection<Line> _lines = [];
    private readonly ConcurrentQueue<string> _tail = new();
    private readonly Process _process;
    private readonly Thread _reader;

    public FollowedProcess(string file, params IEnumerable<string> arguments)
    {
        StartedAt = Stopwatch.GetTimestamp();
        _process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        _process.ErrorDataReceived += (_, line) => Remember(line.Data);
        _process.BeginErrorReadLine();
        _reader = new Thread(Read) { IsBackground = true };
        _reader.Start();
    }

    public readonly record struct Line(string Text, long At);

    /// <summary>Just before the process was started.</summary>
    public long StartedAt { get; }

    public int Id => _process.Id;

    /// <summary>Lines that do not match are passed over for good.</summary>
    public Line WaitForLine(Func<string, bool> matches, TimeSpan deadline, CancellationToken stopping)
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < deadline)
        {
            if (_lines.IsCompleted)
                break;
            if (_lines.TryTake(out var line, 100, stopping) && matches(line.Text))
                return line;
        }

        string what = _lines.IsCompleted ? "ended before it said" : $"did not say within {deadline.TotalSeconds} s";
        throw new BenchException(
            $"'{string.Join(' ', _process.StartInfo.ArgumentList.Prepend(_process.StartInfo.FileName))}' {what} what was waited for; "
            + $"its last lines: {string.Join(" | ", _tail)}");
    }

    /// <summary>What was said and not yet waited for.</summary>
    public IReadOnlyList<Line> TakeLines()
    {
        var lines = new List<Line>();
        while (_lines.TryTake(out var line))
            lines.Add(line);
        return lines;
    }

    public void WaitForExit(TimeSpan deadline)
    {
        if (!_process.WaitForExit(deadline))
            throw new BenchException($"{_process.StartInfo.FileName} did not end within {deadline.TotalSeconds} s");
    }

    public void Signal(string signal)
    {
        // It may have ended a moment ago, which is as well.
        using var kill = Process.Start(new ProcessStartInfo("kill", ["-s", signal, $"{Id}"]) { RedirectStandardError = true })!;
        kill.WaitForExit();
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (!disposing)
            return;

        if (!_process.HasExited)
        {
            Signal("TERM");
            if (!_process.WaitForExit(Grace))
                _process.Kill();
        }

        _process.WaitForExit();
        _reader.Join();
        _process.Dispose();
        _lines.Dispose();
    }

    private void Read()
    {
        while (_process.StandardOutput.ReadLine() is { } text)
        {
            _lines.Add(new Line(text, Stopwatch.GetTimestamp()));
            Remember(text);
        }

        _lines.CompleteAdding();
    }

    private void Remember(string? line)
    {
        if (line is null)
            return;

        _tail.Enqueue(line);
        while (_tail.Count > 5)
            _tail.TryDequeue(out _);
    }
}
