// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json;

namespace EbpfLb.Live.Tests.Support;

/// <summary>What lbprobe found out; each dictionary counts how often.</summary>
internal sealed record ProbeReport
{
    private static readonly JsonSerializerOptions Names = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private static readonly Dictionary<string, int> Nothing = [];

    public int Succeeded { get; init; }

    public int Failed { get; init; }

    public IReadOnlyDictionary<string, int> Backends { get; init; } = Nothing;

    /// <summary>By errno name; "timeout" is what the probe gave up waiting for.</summary>
    public IReadOnlyDictionary<string, int> Failures { get; init; } = Nothing;

    /// <summary>getpeername() of the client.</summary>
    public IReadOnlyDictionary<string, int> Peernames { get; init; } = Nothing;

    /// <summary>recvfrom() of the client.</summary>
    public IReadOnlyDictionary<string, int> From { get; init; } = Nothing;

    /// <summary>The client as the server sees it, without the port.</summary>
    public IReadOnlyDictionary<string, int> Sources { get; init; } = Nothing;

    /// <summary>The server's own end.</summary>
    public IReadOnlyDictionary<string, int> Destinations { get; init; } = Nothing;

    /// <summary>Of a transfer, and of what the other side of held connections still said.</summary>
    public long Bytes { get; init; }

    /// <summary>Of a transfer: the path's, as the client has it in the end.</summary>
    public int Mtu { get; init; }

    public int Retransmits { get; init; }

    /// <summary>Of echo requests: ICMP type and code, or "timeout".</summary>
    public IReadOnlyDictionary<string, int> Answers { get; init; } = Nothing;

    /// <summary>Of a stream: what happened when.</summary>
    public IReadOnlyList<ProbeReport> Buckets { get; init; } = [];

    public static ProbeReport Parse(string json) =>
        JsonSerializer.Deserialize<ProbeReport>(json, Names) ?? throw new JsonException("null is no report");

    public static IReadOnlyDictionary<string, ProbeReport> ParseTargets(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.GetProperty("targets").Deserialize<Dictionary<string, ProbeReport>>(Names)!;
    }

    /// <summary>Every conversation failed, in this one way.</summary>
    public void AssertAllFailedWith(string errno)
    {
        Assert.Equal([errno], Failures.Keys);
        Assert.Equal(0, Succeeded);
    }

    public void AssertNoneFailed()
    {
        Assert.Empty(Failures);
        Assert.NotEqual(0, Succeeded);
    }

    /// <summary>Of held connections: all live, and exactly these have some.</summary>
    public void AssertHolds(params IEnumerable<string> backends)
    {
        Assert.Empty(Failures);
        Assert.Equal(backends.Order(StringComparer.Ordinal), Backends.Keys.Order(StringComparer.Ordinal));
    }

    /// <summary>Nothing failed, and exactly these answered.</summary>
    public void AssertAnsweredBy(params IEnumerable<string> backends)
    {
        AssertNoneFailed();
        Assert.Equal(backends.Order(StringComparer.Ordinal), Backends.Keys.Order(StringComparer.Ordinal));
    }
}
