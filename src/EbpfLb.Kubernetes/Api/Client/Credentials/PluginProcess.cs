// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Api.Client.Credentials;

/// <summary>Runs an exec plugin once, to its end. No shell: arguments reach the program as they are.</summary>
internal static class PluginProcess
{
    private const int MaxOutput = 1024 * 1024;
    private const int MaxMessage = 300;

    /// <returns>What it printed.</returns>
    /// <exception cref="ApiUnreachableException">It cannot be started, or failed.</exception>
    public static async Task<string> RunAsync(ExecSettings settings, CancellationToken stopping)
    {
        using var process = Start(settings);
        try
        {
            process.StandardInput.Close();
            var output = ReadAsync(process.StandardOutput, stopping);
            var error = ReadAsync(process.StandardError, stopping);
            await Task.WhenAll(output, error, process.WaitForExitAsync(stopping)).ConfigureAwait(false);
            if (process.ExitCode == 0)
                return await output.ConfigureAwait(false) ?? throw Error(settings, $"it printed more than {MaxOutput} characters");

            string? said = await error.ConfigureAwait(false);
            throw Error(settings, $"it ended with exit code {process.ExitCode}{Quote(settings, said ?? "")}");
        }
        finally
        {
            Kill(process);
        }
    }

    private static Process Start(ExecSettings settings)
    {
        string path = Locate(settings.Command)
            ?? throw Error(settings, $"{PrintableText.Escape(settings.Command)} is not to be found in any directory of PATH");
        var start = new ProcessStartInfo(path, settings.Arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in settings.Variables)
            start.Environment[name] = value;
        start.Environment["KUBERNETES_EXEC_INFO"] = settings.Info;
        try
        {
            return Process.Start(start) ?? throw Error(settings, $"{PrintableText.Escape(path)} did not start");
        }
        catch (Win32Exception error)
        {
            throw Error(settings, $"{PrintableText.Escape(path)} cannot be started: {new Win32Exception(error.NativeErrorCode).Message}");
        }
    }

    /// <summary>Left to itself, .NET looks into the agent's own and the current directory first.</summary>
    private static string? Locate(string command) => command.Contains('/', StringComparison.Ordinal)
        ? command
        : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Where(Path.IsPathRooted)
            .Select(directory => Path.Combine(directory, command))
            .FirstOrDefault(IsExecutable);

    private static bool IsExecutable(string path)
    {
        try
        {
            return File.Exists(path) && (File.GetUnixFileMode(path)
                & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It went in between.
            return false;
        }
    }

    /// <returns>Null when it is too much, of which the rest is read and forgotten.</returns>
    private static async Task<string?> ReadAsync(StreamReader reader, CancellationToken stopping)
    {
        var text = new StringBuilder();
        char[] buffer = new char[4096];
        bool tooMuch = false;
        while (await reader.ReadAsync(buffer, stopping).ConfigureAwait(false) is var length and > 0)
        {
            tooMuch |= text.Length + length > MaxOutput;
            if (!tooMuch)
                text.Append(buffer, 0, length);
        }

        return tooMuch ? null : text.ToString();
    }

    /// <summary>The last line of what it said, without the values that the kubeconfig gave it to keep.</summary>
    private static string Quote(ExecSettings settings, string said)
    {
        string line = said.Trim().Split('\n')[^1].Trim();
        foreach (var (_, value) in settings.Variables)
        {
            if (value.Length > 3)
                line = line.Replace(value, "***", StringComparison.Ordinal);
        }

        return line.Length == 0 ? "" : ": " + PrintableText.Escape(line.Length <= MaxMessage ? line : line[..MaxMessage] + "...");
    }

    private static ApiUnreachableException Error(ExecSettings settings, string message) =>
        new($"{settings.Origin}, the exec plugin {PrintableText.Escape(settings.Command)}: {message}. "
            + (settings.InstallHint ?? "Run it by hand as the agent's user."));

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception error) when (error is InvalidOperationException or AggregateException or Win32Exception)
        {
            // It has ended, or became somebody else's, as sudo does, whom we may not end.
        }
    }
}
