// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Processes;

public sealed class BpftoolException : Exception
{
    public BpftoolException(string fileName, IReadOnlyList<string> arguments, int? exitCode, string stdErr, string? cause, Exception? inner = null)
        : base(Compose(fileName, arguments, exitCode, stdErr, cause), inner)
    {
        Arguments = arguments;
        ExitCode = exitCode;
        StdErr = stdErr;
        Cause = cause;
    }

    public IReadOnlyList<string> Arguments { get; }

    /// <summary>Null when the program did not start.</summary>
    public int? ExitCode { get; }

    /// <summary>All of it; the message has the last lines.</summary>
    public string StdErr { get; }

    /// <summary>One line, when the failure is a known one.</summary>
    public string? Cause { get; }

    private static string Compose(string fileName, IReadOnlyList<string> arguments, int? exitCode, string stdErr, string? cause)
    {
        const int LastLines = 8;
        string[] lines = stdErr.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string ended = exitCode is { } code ? $"exit status {code}" : "did not start";
        string message = $"{string.Join(' ', [fileName, .. arguments])}: {ended}";
        if (cause is not null)
            message += $": {cause}";
        return lines.Length == 0 ? message : $"{message}\n  {string.Join("\n  ", lines.TakeLast(LastLines))}";
    }
}
