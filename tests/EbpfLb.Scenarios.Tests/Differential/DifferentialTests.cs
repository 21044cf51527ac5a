// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Datapath.Inspection;

namespace EbpfLb.Scenarios.Tests.Differential;

/// <summary>
/// Random lives of a cluster, through all of the agent that decides and writes, compared with <see cref="ReferenceModel"/> after every
/// step. <c>EBPFLB_DIFFERENTIAL_SEQUENCES</c> sets how many, <c>EBPFLB_DIFFERENTIAL_SEED</c> the first: what a failure prints is enough to
/// see it again.
/// </summary>
public sealed class DifferentialTests
{
    private const int Steps = 40;
    private const int DefaultSequences = 320;
    private const int DefaultSeed = 1;

    [Fact]
    public void The_maps_hold_what_kube_proxy_would_do_after_every_step_of_any_life()
    {
        int first = FromEnvironment("EBPFLB_DIFFERENTIAL_SEED", DefaultSeed);
        Parallel.For(first, first + FromEnvironment("EBPFLB_DIFFERENTIAL_SEQUENCES", DefaultSequences), seed =>
        {
            var random = new Random(seed);
            int[] steps = [.. Enumerable.Range(0, Steps).Select(_ => random.Next())];
            bool maglev = seed % 10 == 0;
            if (Live(steps, maglev) is { } failure)
                Assert.Fail(Report(seed, Shrink(steps[..(failure.Step + 1)], maglev), maglev));
        });
    }

    [Fact]
    public void A_life_has_frontends_backends_and_source_ranges_of_every_kind()
    {
        var seen = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (int seed = 1; seed <= 40; seed++)
        {
            var (cluster, random) = (new Cluster(), new Random(seed));
            for (int step = 0; step < Steps; step++)
            {
                new RandomEvents(cluster, random.Next()).Happen();
                foreach (string line in ReferenceModel.Expect(cluster))
                {
                    foreach (string word in line.Replace("~", " ~ ", StringComparison.Ordinal).Split([' ', ',', '[', ']']).Distinct())
                        seen[word] = seen.GetValueOrDefault(word) + 1;
                }
            }
        }

        string[] kinds =
        [
            "ClusterIP", "NodePort", "LoadBalancer", "ExternalIP", "InternalLocal", "ExternalLocal", "HasEndpoints", "SourceRanges",
            "AdmitsPods", "AdmitsNode", "~", "TCP", "UDP", "SCTP", "v4", "v6", "vip", "cidr", "ports", "60", "10800",
        ];
        Assert.All(kinds, kind => Assert.True(seen.GetValueOrDefault(kind) >= 10, $"{kind}: {seen.GetValueOrDefault(kind)} times"));
    }

    /// <returns>The first step after which the maps are not as they should be, and how they differ; null when there is none.</returns>
    private static (int Step, string Difference)? Live(int[] steps, bool maglev, List<string>? story = null)
    {
        var (cluster, pipeline) = (new Cluster(), new Pipeline(maglev));
        for (int step = 0; step < steps.Length; step++)
        {
            var random = new Random(steps[step]);
            var recreated = new HashSet<string>();
            var happened = new List<string>();

            // Several events may meet in one pass of the agent, and now and then it starts anew.
            do
            {
                var events = new RandomEvents(cluster, random.Next());
                happened.Add(events.Happen());
                recreated.UnionWith(events.Recreated);
            }
            while (random.Next(2) == 0);

            bool restarts = random.Next(20) == 0;
            if (restarts)
                pipeline.Restart(cluster);
            else
                pipeline.Tell(cluster, recreated);
            story?.Add($"{step}: {string.Join("; ", happened)}{(restarts ? "; restart" : "")}");

            var report = pipeline.Reconcile();
            var (expected, actual) = (ReferenceModel.Expect(cluster), MapReading.Read(pipeline.Maps));
            string[] difference =
            [
                .. expected.Except(actual).Select(static line => $"  missing {line}"),
                .. actual.Except(expected).Select(static line => $"  extra   {line}"),
                .. report.IsClean ? [] : new[] { "  not clean: " + string.Join(", ", report.Failures.Select(static one => one.Message)) },
                .. DatapathSnapshot.Read(pipeline.Maps).Inconsistencies.Select(static text => $"  inconsistent: {text}"),
            ];
            if (difference.Length > 0)
                return (step, string.Join('\n', difference));
        }

        return null;
    }

    // Every step that can be left out is left out. A step means something else without those before it, but always something.
    private static int[] Shrink(int[] steps, bool maglev)
    {
        for (int i = 0; i < steps.Length;)
        {
            int[] fewer = [.. steps[..i], .. steps[(i + 1)..]];
            if (Live(fewer, maglev) is { } failure)
                steps = fewer[..(failure.Step + 1)];
            else
                i++;
        }

        return steps;
    }

    private static string Report(int seed, int[] steps, bool maglev)
    {
        var story = new List<string>();
        var failure = Live(steps, maglev, story);
        return $"seed {seed}, {steps.Length} steps left of {Steps}: {string.Join(' ', steps)}\n"
            + $"{string.Join('\n', story)}\n{failure?.Difference}";
    }

    private static int FromEnvironment(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
