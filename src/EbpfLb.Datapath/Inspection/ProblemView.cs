// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Maps;

namespace EbpfLb.Datapath.Inspection;

/// <summary>What the agent could not do as desired, and why.</summary>
public sealed record ProblemView(string Object, string Message)
{
    internal static IReadOnlyList<ProblemView> ReadAll(ILbMaps maps) =>
    [
        .. maps.Problems.ReadAll().OrderBy(entry => entry.Key)
            .Select(entry => new ProblemView(entry.Value.Object.ToString(), entry.Value.Message.ToString())),
    ];
}
