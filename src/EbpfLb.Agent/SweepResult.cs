// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;

namespace EbpfLb.Agent;

/// <param name="Value">What the program said.</param>
/// <param name="MaxEntries">Of the map, both directions of a flow counted.</param>
internal sealed record SweepResult(SweepValue Value, uint MaxEntries);
