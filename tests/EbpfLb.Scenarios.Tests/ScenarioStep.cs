// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Scenarios.Tests;

/// <param name="Kind">What is done.</param>
/// <param name="Arguments">Names of files.</param>
/// <param name="Body">The file's text, as the scenario writes it: ranges not yet expanded.</param>
/// <param name="ExpectedAs">Maps or Summary; null when the step has neither, and what is in the maps is shown by a later one.</param>
/// <param name="Expected">The text in that form.</param>
/// <param name="Problems">Every problem there is after the step. Always checked.</param>
internal sealed record ScenarioStep(
    SectionKind Kind,
    IReadOnlyList<string> Arguments,
    string Body,
    SectionKind? ExpectedAs = null,
    string? Expected = null,
    string Problems = "");

internal enum SectionKind
{
    /// <summary>A file is written, in place of any of that name.</summary>
    Apply,

    /// <summary>A file is deleted.</summary>
    Delete,

    /// <summary>A file is renamed, over the other one if there is one.</summary>
    Rename,

    /// <summary>The agent ends; what happens to files until it starts, it does not see.</summary>
    Stop,
    Start,

    /// <summary>Stop and start.</summary>
    Restart,

    /// <summary>Settings of the agent and its maps; before the first step.</summary>
    Options,

    /// <summary>The maps after the step, as MapText has them.</summary>
    Maps,

    /// <summary>The same with the backends of a list counted, not listed.</summary>
    Summary,
    Problems,
}
