// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.FakeApi.Faults;
using EbpfLb.FakeApi.Store;
using Microsoft.AspNetCore.Http;

namespace EbpfLb.FakeApi.Serving;

/// <summary>What a request asks for, as its path and method say.</summary>
/// <param name="Type">Null: nothing that the server has.</param>
/// <param name="Name">Empty: the collection.</param>
internal sealed record ApiRequest(RequestKind Kind, ResourceType? Type, string Namespace, string Name, string Subresource)
{
    /// <summary>As RBAC calls it.</summary>
    public string Verb => Kind switch
    {
        RequestKind.List or RequestKind.ListPage => "list",
        RequestKind.Watch or RequestKind.WatchList => "watch",
        _ => Kind.ToString().ToLowerInvariant(),
    };

    public static ApiRequest Parse(HttpRequest request)
    {
        string[] parts = (request.Path.Value ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries);
        (string group, string version, string[] rest) = parts switch
        {
            ["api", var first, .. var after] => ("", first, after),
            ["apis", var first, var second, .. var after] => (first, second, after),
            _ => ("", "", []),
        };
        string @namespace = "";
        if (rest is ["namespaces", var within, _, ..])
            (@namespace, rest) = (within, rest[2..]);
        if (rest is [] or [_, _, _, _, ..] || ResourceType.Find(group, version, rest[0]) is not { } type)
            return new ApiRequest(RequestKind.Other, null, "", "", "");
        string name = rest.ElementAtOrDefault(1) ?? "";
        return new ApiRequest(KindOf(request, name), type, @namespace, name, rest.ElementAtOrDefault(2) ?? "");
    }

    private static RequestKind KindOf(HttpRequest request, string name) => request.Method switch
    {
        "POST" => RequestKind.Create,
        "PUT" => RequestKind.Update,
        "PATCH" => RequestKind.Patch,
        "DELETE" => RequestKind.Delete,
        _ when name.Length > 0 => RequestKind.Get,
        _ when IsTrue(request, "watch") && IsTrue(request, "sendInitialEvents") => RequestKind.WatchList,
        _ when IsTrue(request, "watch") => RequestKind.Watch,
        _ when request.Query["continue"].Count > 0 => RequestKind.ListPage,
        _ => RequestKind.List,
    };

    private static bool IsTrue(HttpRequest request, string parameter) => request.Query[parameter].ToString() is "1" or "true";
}
