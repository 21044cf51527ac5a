// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using EbpfLb.FakeApi.Store;

namespace EbpfLb.FakeApi.Serving;

/// <summary>Why a request was not done.</summary>
public sealed record ApiStatus(int Code, string Reason, string Message)
{
    public int? RetryAfterSeconds { get; init; }

    /// <summary>Of the object that the request is about.</summary>
    public string? Name { get; init; }

    public ResourceType? Type { get; init; }

    public static ApiStatus BadRequest(string message) => new(400, "BadRequest", message);

    public static ApiStatus WrongVersion(string version) =>
        BadRequest($"Invalid value: \"{version}\": strconv.ParseUint: parsing \"{version}\": invalid syntax");

    public static ApiStatus Unauthorized { get; } = new(401, "Unauthorized", "Unauthorized");

    public static ApiStatus NotFound(ResourceType type, string name) =>
        new(404, "NotFound", $"{type.Name} \"{name}\" not found") { Type = type, Name = name };

    public static ApiStatus Expired(string message) => new(410, "Expired", message);

    /// <summary>What a server without the feature says to a watch that asks for the initial events.</summary>
    public static ApiStatus WatchListRefused { get; } = new(
        422, "Invalid",
        "ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the "
        + "WatchList feature gate is enabled");

    public static string ReasonOf(int code) => code switch
    {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        406 => "NotAcceptable",
        409 => "Conflict",
        410 => "Expired",
        415 => "UnsupportedMediaType",
        422 => "Invalid",
        429 => "TooManyRequests",
        500 => "InternalError",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "",
    };

    public JsonObject ToJson()
    {
        var json = new JsonObject { ["metadata"] = new JsonObject(), ["status"] = "Failure", ["message"] = Message };
        if (Reason.Length > 0)
            json["reason"] = Reason;
        var details = new JsonObject();
        if (Name is not null)
            details["name"] = Name;
        if (Type is { Group.Length: > 0 })
            details["group"] = Type.Group;
        if (Type is not null)
            details["kind"] = Type.Plural;
        if (RetryAfterSeconds is { } seconds)
            details["retryAfterSeconds"] = seconds;
        if (details.Count > 0)
            json["details"] = details;
        json["code"] = Code;
        return json;
    }
}
