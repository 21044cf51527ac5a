// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Maps;

/// <param name="Used">Entries that are taken.</param>
/// <param name="MaxEntries">That there is room for.</param>
public readonly record struct MapFill(string Map, ulong Used, uint MaxEntries);
