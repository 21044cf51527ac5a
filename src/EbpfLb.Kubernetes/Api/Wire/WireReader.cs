// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Api.Wire;

/// <summary>From the body of a response to objects, in whichever of the two encodings the server chose.</summary>
internal static class WireReader
{
    /// <summary>In the order of preference.</summary>
    public const string AcceptList = "application/vnd.kubernetes.protobuf, application/json";

    /// <summary>In the order of preference.</summary>
    public const string AcceptWatch = "application/vnd.kubernetes.protobuf;stream=watch, application/json;stream=watch, application/json";

    /// <exception cref="WireException">The body is no list of this resource.</exception>
    public static Task<ListPage> ReadListAsync(Stream body, string? contentType, ApiResource resource, CancellationToken cancellation) =>
        throw new NotImplementedException();

    /// <summary>Ends where the stream ends between two frames.</summary>
    /// <exception cref="WireException">The bytes are no frames of a watch.</exception>
    /// <exception cref="IOException">The stream ends within a frame.</exception>
    public static IAsyncEnumerable<WatchEvent> ReadWatchAsync(
        Stream body, string? contentType, ApiResource resource, CancellationToken cancellation) => throw new NotImplementedException();

    /// <summary>Never throws for what the body holds: a proxy's page of HTML is a status without a reason.</summary>
    public static Task<ApiStatus> ReadStatusAsync(Stream body, string? contentType, int code, CancellationToken cancellation) =>
        throw new NotImplementedException();
}
