// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Cli;

internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int WrongUsage = 2;
}
