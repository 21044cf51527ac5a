// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Agent;

/// <summary>How soon the kernel ends the agent when memory is short.</summary>
internal static class OomScore
{
    public const string OfThisProcess = "/proc/self/oom_score_adj";

    /// <summary>A value that cannot be set is told, and no failure.</summary>
    /// <param name="path"><see cref="OfThisProcess"/>, or a copy of it.</param>
    public static void Set(string path, int value, ILogger logger)
    {
        string wanted = value.ToString(CultureInfo.InvariantCulture);
        string before = "?";
        try
        {
            before = File.ReadAllText(path).Trim();
            if (before != wanted)
                File.WriteAllText(path, wanted);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            logger.OomScoreNotSet(path, before, value, exception.Message.TrimEnd('.'));
        }
    }
}
