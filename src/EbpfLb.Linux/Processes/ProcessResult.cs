// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Processes;

public sealed record ProcessResult(int ExitCode, string StdOut, string StdErr);
