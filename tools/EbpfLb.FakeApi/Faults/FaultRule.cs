// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EbpfLb.FakeApi.Faults;

public enum RequestKind
{
    /// <summary>A first page.</summary>
    List,

    /// <summary>A later page.</summary>
    ListPage,
    Watch,

    /// <summary>A watch that asks for the initial events.</summary>
    WatchList,
    Get,
    Create,
    Update,
    Patch,
    Delete,

    /// <summary>No request for a resource: /version, /livez.</summary>
    Other,
}

public enum WatchEnding
{
    /// <summary>The stream ends as one that timed out does.</summary>
    End,

    /// <summary>The connection is reset.</summary>
    Reset,

    /// <summary>Half of a frame, then the connection is reset.</summary>
    ResetInFrame,

    /// <summary>Half of a frame, then the stream ends.</summary>
    EndInFrame,

    /// <summary>An ERROR frame with the status of the rule, then the stream ends.</summary>
    Error,

    /// <summary>Nothing is sent any more, and the connection stays.</summary>
    Silence,
}

/// <summary>
/// What to do wrong, and with which requests. The first rule that fits a request and is not used up is applied to it, with all that it
/// says.
/// </summary>
public sealed record FaultRule
{
    internal static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>As RBAC calls it, or its plural alone. Null: any.</summary>
    public string? Resource { get; init; }

    /// <summary>Null: any.</summary>
    public RequestKind? Kind { get; init; }

    /// <summary>Null: until the rules are cleared.</summary>
    public int? Times { get; init; }

    /// <summary>Before anything is answered.</summary>
    public int? DelayMilliseconds { get; init; }

    /// <summary>Never answers; the connection stays.</summary>
    public bool Hang { get; init; }

    /// <summary>Resets the connection instead of answering.</summary>
    public bool Reset { get; init; }

    /// <summary>Answers with this status, or ends a watch with it.</summary>
    public int? Status { get; init; }

    /// <summary>Null: the word that belongs to the status.</summary>
    public string? Reason { get; init; }

    public string? Message { get; init; }

    public int? RetryAfterSeconds { get; init; }

    /// <summary>The whole body of the answer instead of a Status object; the status is 200 if there is none.</summary>
    public string? Body { get; init; }

    /// <summary>The same as bytes.</summary>
    public byte[]? Bytes { get; init; }

    public string? ContentType { get; init; }

    /// <summary>JSON whatever is asked for.</summary>
    public bool JsonOnly { get; init; }

    /// <summary>406 to who accepts protobuf alone, JSON to the others.</summary>
    public bool RefuseProtobuf { get; init; }

    /// <summary>The size of pieces that the body is sent in.</summary>
    public int? ChunkSize { get; init; }

    public int? ChunkDelayMilliseconds { get; init; }

    /// <summary>How a watch ends, after <see cref="EndAfterEvents"/>.</summary>
    public WatchEnding? Ending { get; init; }

    /// <summary>Not counting bookmarks.</summary>
    public int EndAfterEvents { get; init; }

    /// <summary>How often each event is sent.</summary>
    public int Copies { get; init; } = 1;

    /// <summary>Each event is held back until the next one has been sent.</summary>
    public bool Reorder { get; init; }

    /// <summary>Before each frame of a JSON watch.</summary>
    public bool EmptyLines { get; init; }

    /// <summary>Bytes of an annotation that each object of a watch gets.</summary>
    public int? Padding { get; init; }

    internal bool Fits(RequestKind kind, Store.ResourceType? type) =>
        (Kind is null || Kind == kind) && (Resource is null || (type is not null && (Resource == type.Name || Resource == type.Plural)));
}
