// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using EbpfLb.Kubernetes.Api.Client.Configuration;

namespace EbpfLb.Kubernetes.Api.Client.Credentials;

/// <summary>What a plugin gave: a token, a certificate with its key, or both. A class, so that nothing prints it.</summary>
internal sealed class ExecCredential
{
    public AuthenticationHeaderValue? Authorization { get; private init; }

    public NamedContent? Certificate { get; private init; }

    public NamedContent? Key { get; private init; }

    /// <summary>Null: until it is refused.</summary>
    public DateTimeOffset? Expiration { get; private init; }

    /// <param name="origin">Begins every message. None repeats the text, which holds the secrets.</param>
    /// <exception cref="ApiUnreachableException">It is not what plugins must print.</exception>
    public static ExecCredential Parse(string text, string apiVersion, string origin)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return Read(document.RootElement, apiVersion, origin);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // The latter for half of a surrogate pair.
            throw Error(origin, "what it printed is not JSON");
        }
    }

    private static ExecCredential Read(JsonElement root, string apiVersion, string origin)
    {
        if (TextOf(root, "kind", origin) != "ExecCredential")
            throw Error(origin, "what it printed is not of kind ExecCredential");

        if (TextOf(root, "apiVersion", origin) != apiVersion)
            throw Error(origin, $"what it printed is not of apiVersion {apiVersion}, which the kubeconfig asks for");

        if (!root.TryGetProperty("status", out var status) || status.ValueKind != JsonValueKind.Object)
            throw Error(origin, "what it printed has no status");

        string? token = TextOf(status, "token", origin);
        string? certificate = TextOf(status, "clientCertificateData", origin);
        string? key = TextOf(status, "clientKeyData", origin);
        if (certificate is null != key is null)
            throw Error(origin, "its status has only one of clientCertificateData and clientKeyData");

        if (token is null && certificate is null)
            throw Error(origin, "its status has neither a token nor a client certificate");

        return new ExecCredential
        {
            Authorization = token is null ? null : BearerToken.Header(token, origin),
            Certificate = ContentOf(certificate, origin + ", clientCertificateData"),
            Key = ContentOf(key, origin + ", clientKeyData"),
            Expiration = ExpirationOf(status, origin),
        };
    }

    private static NamedContent? ContentOf(string? text, string origin) =>
        text is null ? null : new NamedContent(origin, Encoding.UTF8.GetBytes(text));

    private static DateTimeOffset? ExpirationOf(JsonElement status, string origin)
    {
        if (TextOf(status, "expirationTimestamp", origin) is not { } text)
            return null;

        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw Error(origin, "its status.expirationTimestamp is not a time such as 2026-01-31T12:00:00Z");
    }

    private static string? TextOf(JsonElement parent, string name, string origin)
    {
        if (parent.ValueKind != JsonValueKind.Object || !parent.TryGetProperty(name, out var value)
            || value.ValueKind == JsonValueKind.Null)
            return null;

        if (value.ValueKind != JsonValueKind.String)
            throw Error(origin, $"{name} in what it printed is not text");

        return value.GetString() is { Length: > 0 } text ? text : null;
    }

    private static ApiUnreachableException Error(string origin, string message) =>
        new($"{origin}: {message}. Run it by hand, or ask who wrote it.");
}
