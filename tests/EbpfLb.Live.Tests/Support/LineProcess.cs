// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using EbpfLb.Linux.Processes;

namespace EbpfLb.Live.Tests.Support;

/// <summary>A process that runs beside the test and says things line by line. Disposing it ends it.</summary>
internal sealed class LineProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly List<string> _lines = [];
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private LineProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Add(line.Data);
        process.ErrorDataReceived += (_, line) => Add(line.Data);
    }

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Where a later <see cref="WaitForLineAsync"/> may start to look.</summary>
    public int LineCount
    {
        get
        {
            lock (_lines)
                return _lines.Count;
        }
    }

    /// <summary>Both outputs so far.</summary>
    public string Text
    {
        get
        {
            lock (_lines)
                return string.Join('\n', _lines);
        }
    }

    public static LineProcess Start(string program, params IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var process = new LineProcess(Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start"));
        process._process.BeginOutputReadLine();
        process._process.BeginErrorReadLine();
        return process;
    }

    /// <summary>The first line, from the given one on, that has the text. Fails when the process ends without it.</summary>
    public async Task<string> WaitForLineAsync(string text, int from = 0)
    {
        var deadline = Eventually.Timeout();
        while (true)
        {
            Task more;
            lock (_lines)
            {
                string? found = _lines.Skip(from).FirstOrDefault(line => line.Contains(text, StringComparison.Ordinal));
                if (found is not null)
                    return found;
                more = _more.Task;
            }

            var ended = _process.WaitForExitAsync(deadline);
            try
            {
                if (await Task.WhenAny(more, ended).WaitAsync(deadline) == ended && !more.IsCompleted)
                    Assert.Fail($"the process ended with {_process.ExitCode} before it said '{text}':\n{Text}");
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"the process did not say '{text}':\n{Text}");
            }
        }
    }

    public Task WriteLineAsync(string line) => _process.StandardInput.WriteLineAsync(line);

    public void CloseInput() => _process.StandardInput.Close();

    /// <summary>SIGTERM.</summary>
    public Task TerminateAsync() => new ProcessRunner().RunAsync("/bin/kill", ["-TERM", $"{Pid}"], Eventually.Timeout());

    /// <summary>SIGKILL.</summary>
    public void Kill() => _process.Kill();

    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync(Eventually.Timeout());
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private void Add(string? line)
    {
        if (line is null)
            return;

        lock (_lines)
        {
            _lines.Add(line);
            _more.TrySetResult();
            _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
