// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.FakeApi.Faults;

namespace EbpfLb.FakeApi.Serving;

/// <summary>A request that came in.</summary>
public sealed record RequestRecord
{
    /// <summary>Counts from 1.</summary>
    public required long Number { get; init; }

    /// <summary>Nanoseconds of CLOCK_MONOTONIC.</summary>
    public required long At { get; init; }

    public required string Method { get; init; }

    public required string Path { get; init; }

    /// <summary>With its question mark; empty if there is none.</summary>
    public required string Query { get; init; }

    public required RequestKind Kind { get; init; }

    /// <summary>As RBAC calls it; empty for none.</summary>
    public required string Resource { get; init; }

    public required string Accept { get; init; }

    public required string UserAgent { get; init; }

    /// <summary>HTTP/1.1 or HTTP/2.</summary>
    public required string Protocol { get; init; }

    /// <summary>Who sent it; null where that was not asked or not told.</summary>
    public string? User { get; internal set; }

    /// <summary>Null until the answer has begun.</summary>
    public int? Status { get; internal set; }
}
