// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Datapath.Maps;

namespace EbpfLb.Scenarios.Tests;

/// <summary>Every file of scenarios/, three times over: on maps in memory, on maps whose writes fail, and on the kernel's.</summary>
public sealed class ScenarioTests(KernelMapsFixture kernel) : IClassFixture<KernelMapsFixture>
{
    private const double Failing = 0.1;

    private static readonly int Seeds =
        int.TryParse(Environment.GetEnvironmentVariable("SEEDS"), CultureInfo.InvariantCulture, out int seeds) ? seeds : 3;

    private static readonly bool Update =
        Environment.GetEnvironmentVariable("UPDATE") == "1" && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI"));

    public static TheoryData<string> Scenarios => [.. ScenarioFile.Names];

    [Theory]
    [MemberData(nameof(Scenarios))]
    public void Scenario_is_written_as_it_would_be_rewritten(string name) =>
        Assert.Equal(ScenarioFile.Text(name), ScenarioFile.Render(ScenarioFile.Read(name)));

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task Scenario_holds(string name)
    {
        var scenario = ScenarioFile.Read(name);
        var maps = new InMemoryMaps(scenario.Options.MapSizes);
        await using var run = new ScenarioRun(scenario, maps);
        var observed = await run.ObserveAsync(asIfFromScratch: true);
        AssertAsExpected(scenario, observed);
    }

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task S176_Scenario_holds_when_one_write_of_ten_fails(string name)
    {
        var scenario = ScenarioFile.Read(name);
        IReadOnlyList<Observation> expected;
        await using (var run = new ScenarioRun(scenario, new InMemoryMaps(scenario.Options.MapSizes)))
            expected = await run.ObserveAsync(asIfFromScratch: false);

        for (int seed = 1; seed <= Seeds; seed++)
        {
            var random = new Random(seed);
            await using var run = new ScenarioRun(scenario, new InMemoryMaps(scenario.Options.MapSizes, () => Fault(random)));
            await run.FollowAsync(expected);
        }
    }

    [PrivilegedTheory]
    [MemberData(nameof(Scenarios))]
    public async Task Scenario_holds_in_the_kernel(string name)
    {
        var scenario = ScenarioFile.Read(name);
        await using var run = new ScenarioRun(scenario, await kernel.GetEmptyAsync(scenario.Options.MapSizes));
        var observed = await run.ObserveAsync(asIfFromScratch: false);
        AssertAsExpected(scenario, observed);
    }

    // All of it passes when it is tried again. A map that is full and stays full is met by scenarios with small maps.
    private static MapWrite? Fault(Random random)
    {
        if (random.NextDouble() >= Failing)
            return null;

        // Seldom full: what was done for a service that does not fit is undone, and a large one must fit in one go.
        return random.Next(50) switch
        {
            0 => new MapWrite(MapError.Full, "E2BIG"),
            < 25 => new MapWrite(MapError.Failed, "EINVAL"),
            _ => new MapWrite(MapError.OutOfMemory, "ENOMEM"),
        };
    }

    private static void AssertAsExpected(Scenario scenario, IReadOnlyList<Observation> observed)
    {
        var actual = scenario.With(observed);
        if (Update)
        {
            ScenarioFile.Write(actual);
            return;
        }

        for (int i = 0; i < scenario.Steps.Count; i++)
        {
            var expectedStep = scenario.Steps[i];
            var actualStep = actual.Steps[i];
            Assert.True(
                expectedStep == actualStep,
                $"{scenario.Name}, step {i + 1} ({expectedStep.Kind} {string.Join(' ', expectedStep.Arguments)}):\n"
                    + $"{actualStep.Expected}{actualStep.Problems}not\n{expectedStep.Expected}{expectedStep.Problems}"
                    + "UPDATE=1 takes what is as what is expected.");
        }
    }
}
