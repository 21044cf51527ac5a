// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Scenarios.Tests;

/// <summary>One file: what is said, done and expected, in order. Rendering it gives the file in canonical form.</summary>
/// <param name="Head">Comment lines that say the behaviour.</param>
internal sealed record Scenario(string Name, IReadOnlyList<string> Head, ScenarioOptions Options, IReadOnlyList<ScenarioStep> Steps)
{
    public Scenario With(IReadOnlyList<Observation> observed)
    {
        var steps = Steps.Select((step, i) => step with
        {
            Expected = step.ExpectedAs switch
            {
                SectionKind.Maps => observed[i].Maps,
                SectionKind.Summary => observed[i].Summary,
                _ => null,
            },
            Problems = observed[i].Problems,
        });
        return this with { Steps = [.. steps] };
    }
}
