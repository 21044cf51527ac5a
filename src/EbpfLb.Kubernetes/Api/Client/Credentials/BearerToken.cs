// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net.Http.Headers;

namespace EbpfLb.Kubernetes.Api.Client.Credentials;

internal static class BearerToken
{
    /// <exception cref="ApiUnreachableException">It cannot be sent. Found here, because .NET would quote it in its own message.</exception>
    public static AuthenticationHeaderValue Header(string text, string origin)
    {
        string token = text.Trim();
        if (token.Length == 0)
            throw new ApiUnreachableException($"{origin}: the token is empty. Write one, or remove the setting.");

        if (token.AsSpan().ContainsAnyExceptInRange('!', '~'))
            throw new ApiUnreachableException($"{origin}: the token has characters that no token may have. Write the token alone, on one line.");

        return new AuthenticationHeaderValue("Bearer", token);
    }
}
