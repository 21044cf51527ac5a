// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Api.Reflection;

/// <summary>How patient a reflector is.</summary>
public sealed record ReflectorOptions
{
    /// <summary>Items of one page of a list.</summary>
    public int PageSize { get; init; } = 500;

    /// <summary>The server ends a watch after a random time between this and twice this, so that watches spread over servers.</summary>
    public TimeSpan WatchTime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// A watch on which bookmarks come, about one a minute, is cut when no byte came for so long. Connections that died are noticed
    /// sooner, by the transport.
    /// </summary>
    public TimeSpan SilenceLimit { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>For an answer to begin. The transport knows better why none comes, and gives up before.</summary>
    public TimeSpan HeaderLimit { get; init; } = TimeSpan.FromSeconds(75);

    /// <summary>The same as <see cref="SilenceLimit"/> within a page, or before all objects that exist have been told.</summary>
    public TimeSpan AnswerLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long lists are asked for in pages after a server would not send one as a stream.</summary>
    public TimeSpan PagedListTime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>When this node is not listed by then, ClusterIPs are served without it.</summary>
    public TimeSpan NodePatience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Between two questions for a resource that the server does not have.</summary>
    public TimeSpan AbsentRetry { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A stream that has been open for so long is healthy: what failed before it no longer counts.</summary>
    public TimeSpan HealthyAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Events that become visible at once, when so many wait to be read.</summary>
    public int BatchLimit { get; init; } = 1000;
}
