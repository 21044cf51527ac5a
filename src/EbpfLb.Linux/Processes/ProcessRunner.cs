// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;

namespace EbpfLb.Linux.Processes;

/// <summary>Runs a program to its end and takes what it says. No shell: arguments reach the program as they are.</summary>
/// <param name="onlyForBpf">Programs get no capabilities but those that BPF takes, whatever this process has.</param>
public sealed class ProcessRunner(bool onlyForBpf = false)
{
    /// <summary>
    /// Both outputs are read while the program runs, so neither can fill up and block it. Cancellation kills the program and its descendants.
    /// </summary>
    /// <exception cref="System.ComponentModel.Win32Exception">The program cannot be started.</exception>
    public async Task<ProcessResult> RunAsync(string fileName, IReadOnlyList<string> arguments, CancellationToken stopping)
    {
        stopping.ThrowIfCancellationRequested();
        ProcessStartInfo start = new(fileName, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Messages are recognised by their English text.
        start.Environment["LC_ALL"] = "C";

        using Process process = (onlyForBpf ? StartReduced(start) : Process.Start(start))
            ?? throw new InvalidOperationException($"{fileName} did not start");
        process.StandardInput.Close();
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(stopping);
            Task<string> error = process.StandardError.ReadToEndAsync(stopping);
            await Task.WhenAll(output, error, process.WaitForExitAsync(stopping)).ConfigureAwait(false);
            return new ProcessResult(process.ExitCode, await output.ConfigureAwait(false), await error.ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            Kill(process);
            throw;
        }
    }

    // A thread that gave capabilities away is given back to nobody.
    private static Process? StartReduced(ProcessStartInfo start)
        => SingleUseThread.Run("start of a program", () =>
        {
            LeastPrivilege.ReduceToBpf();
            return Process.Start(start);
        });

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }
        catch (InvalidOperationException)
        {
            // It ended by itself in the meantime.
        }
    }
}
