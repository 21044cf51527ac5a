// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Migration;

/// <param name="Copied">Entries, before the programs changed over.</param>
/// <param name="Late">Those that the old programs wrote between the copy and the switch.</param>
/// <param name="Switch">From the first link to the last.</param>
public readonly record struct MigrationResult(long Copied, long Late, TimeSpan Switch);
