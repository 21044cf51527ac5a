// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;

namespace EbpfLb.Kubernetes.Api.Client.Configuration;

/// <summary>Addresses of servers and proxies. They may hold passwords, which is why messages do not repeat wrong ones.</summary>
internal static class ServerAddress
{
    private static readonly string[] ProxySchemes = ["http", "https", "socks5"];

    /// <returns>Null, and what is wrong with it.</returns>
    public static Uri? Parse(string text, out string problem)
    {
        problem = "it must be an address such as https://192.0.2.1:6443";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Host.Length == 0
            || (address.Scheme != Uri.UriSchemeHttps && address.Scheme != Uri.UriSchemeHttp))
            return null;

        if (address.UserInfo.Length > 0)
            problem = "it must not hold a user or a password. Put username and password into the user of the kubeconfig";
        else if (address.Query.Length > 0 || address.Fragment.Length > 0)
            problem = "it must end with the path: no '?' and no fragment";
        else
            return address;

        return null;
    }

    /// <returns>Without user and password; null when it is not the address of a proxy.</returns>
    public static Uri? ParseProxy(string text, out NetworkCredential? credential)
    {
        credential = null;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Host.Length == 0 || !ProxySchemes.Contains(address.Scheme))
            return null;

        if (address.UserInfo.Length > 0)
        {
            string[] parts = address.UserInfo.Split(':', 2);
            credential = new NetworkCredential(Uri.UnescapeDataString(parts[0]), Uri.UnescapeDataString(parts.Length > 1 ? parts[1] : ""));
        }

        return new UriBuilder(address) { UserName = "", Password = "" }.Uri;
    }

    /// <param name="path">Of a request, from the root of the server, which may itself have a path.</param>
    public static Uri Combine(Uri server, string path) =>
        new(server.GetLeftPart(UriPartial.Path).TrimEnd('/') + "/" + path.TrimStart('/'));
}
