// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Api.Wire;

internal enum WatchEventType : byte
{
    Added,
    Modified,
    Deleted,
    Bookmark,
    Error,
}

/// <summary>One frame of a watch.</summary>
internal sealed record WatchEvent(WatchEventType Type)
{
    /// <summary>Null for a bookmark, an error, and what could not be read.</summary>
    public ApiObject? Object { get; init; }

    /// <summary>From which a later watch goes on. Null when the frame does not say.</summary>
    public string? ResourceVersion { get; init; }

    /// <summary>Of a bookmark: every object that existed when the watch began has been told.</summary>
    public bool InitialEventsEnd { get; init; }

    /// <summary>Of an error.</summary>
    public ApiStatus? Status { get; init; }

    /// <summary>Instead of an object that could not be read. The watch goes on.</summary>
    public WireDefect? Defect { get; init; }
}
