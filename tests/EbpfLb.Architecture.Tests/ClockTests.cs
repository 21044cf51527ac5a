// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.RegularExpressions;

namespace EbpfLb.Architecture.Tests;

/// <summary>Clocks on walls are set forward and back; nothing that waits, expires or grows late may go by one.</summary>
public sealed partial class ClockTests
{
    // Each shows a time to people, or compares one with what another machine says by its own wall clock.
    private static readonly Dictionary<string, string> Allowed = new(StringComparer.Ordinal)
    {
        ["src/EbpfLb.Agent/Serving/AgentServing.cs"] = "metrics that are timestamps",
        ["src/EbpfLb.Agent/Serving/MetricsSite.cs"] = "/statusz",
        ["src/EbpfLb.Agent/Health/SyncHealth.cs"] = "lastUpdated and currentTime in the answer",
        ["src/EbpfLb.Agent/ReconcileObserver.cs"] = "metrics that are timestamps; the age of an endpoint's last change, which the API dates",
        ["src/EbpfLb.Kubernetes/Api/Events/EventRecorder.cs"] = "the times of an Event, as people read them",
        ["src/EbpfLb.Kubernetes/Api/Client/Credentials/ExecPlugin.cs"] = "when credentials expire, as the plugin dates it",
        ["src/EbpfLb.Kubernetes/Api/Client/ApiTransport.cs"] = "whether a certificate is valid yet, in a message",
        ["src/EbpfLb.Kubernetes/Api/Reflection/ResourceClient.cs"] = "Retry-After as a date of the server's, which is bounded",
        ["src/EbpfLb.Kubernetes/Api/Reflection/Reflector.cs"] = "last contact, for people",
        ["src/EbpfLb.Kubernetes/Api/Reflection/Reflector.Failures.cs"] = "since when there is trouble, for people",
        ["src/EbpfLb.Cli/Commands/StatusCommand.cs"] = "how long ago, for people",
    };

    [Fact]
    public void S178_Only_what_is_shown_or_dated_by_others_goes_by_the_wall_clock() => Assert.Equal(
        Allowed.Keys.Order(StringComparer.Ordinal),
        from file in Repository.WithEnding(".cs")
        where file.StartsWith("src/", StringComparison.Ordinal) && WallClock().IsMatch(Repository.Text(file))
        orderby file
        select file);

    [Fact]
    public void S178_Programs_in_the_kernel_go_by_the_clock_that_nobody_sets() => Repository.AssertNone(
        from file in Repository.WithEnding(".c", ".h")
        where file.StartsWith("bpf/", StringComparison.Ordinal)
        where Repository.Text(file).Contains("bpf_ktime_get_tai", StringComparison.Ordinal)
            || Repository.Text(file).Contains("bpf_ktime_get_boot", StringComparison.Ordinal)
        select file);

    [GeneratedRegex(@"GetUtcNow|GetLocalNow|DateTime(Offset)?\.(Utc)?Now|DateTime\.Today")]
    private static partial Regex WallClock();
}
