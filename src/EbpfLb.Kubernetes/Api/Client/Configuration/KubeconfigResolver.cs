// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using EbpfLb.Kubernetes.Api.Client.Connection;
using EbpfLb.Kubernetes.Api.Client.Credentials;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Api.Client.Configuration;

/// <summary>From a context to its cluster and user. Only these two are looked at: what is wrong with others is no concern.</summary>
internal static class KubeconfigResolver
{
    /// <exception cref="ApiUnreachableException">A field or a file that it names cannot be used.</exception>
    public static ApiConfiguration Resolve(Kubeconfig config, string? contextName, Uri? server)
    {
        var context = FindContext(config, contextName);
        var cluster = Find(config.Clusters, context, "cluster", config.Label);
        var user = context.Text("user") is null ? null : Find(config.Users, context, "user", config.Label);
        server ??= ServerOf(cluster);

        // Like kubectl: who we are goes over no connection that others can read.
        if (user is not null && server.Scheme == Uri.UriSchemeHttps)
            CheckUser(user);
        else
            user = null;

        bool insecure = cluster.Flag("insecure-skip-tls-verify");
        if (insecure && (cluster.Text("certificate-authority") ?? cluster.Text("certificate-authority-data")) is not null)
            throw cluster.Error("insecure-skip-tls-verify", "certificate-authority is set as well. Remove one of the two");

        NetworkCredential? proxyCredential = null;
        var proxy = cluster.Text("proxy-url") is { } proxyText
            ? ServerAddress.ParseProxy(proxyText, out proxyCredential)
                ?? throw cluster.Error("proxy-url", "it must be the address of a proxy: http://, https:// or socks5://")
            : null;
        return new ApiConfiguration
        {
            Endpoint = new EndpointSettings
            {
                Server = server,
                Authorities = cluster.Content("certificate-authority"),
                Insecure = insecure,
                ServerName = cluster.Text("tls-server-name"),
                Certificate = user?.Content("client-certificate"),
                Key = user?.Content("client-key"),
                Proxy = proxy,
                ProxyCredential = proxyCredential,
            },
            Authorization = user is null ? null : AuthorizationOf(user),
            Exec = user?.Mapping("exec") is { } exec ? ExecSettings.Read(exec, cluster, server) : null,
        };
    }

    private static KubeconfigEntry FindContext(Kubeconfig config, string? name)
    {
        string known = config.Contexts.Count == 0
            ? "There are no contexts"
            : "Contexts: " + string.Join(", ", config.Contexts.Keys.Order(StringComparer.Ordinal).Select(PrintableText.Quote));
        string wanted = name ?? config.CurrentContext ?? throw new ApiUnreachableException(
            $"{config.Label}: current-context is not set. Set it with 'kubectl config use-context', or name a context. {known}.");
        return config.Contexts.GetValueOrDefault(wanted) ?? throw new ApiUnreachableException(
            $"{config.Label}: there is no context {PrintableText.Quote(wanted)}"
            + $"{(name is null ? ", which current-context names" : "")}. {known}.");
    }

    private static KubeconfigEntry Find(
        IReadOnlyDictionary<string, KubeconfigEntry> entries, KubeconfigEntry context, string kind, string label)
    {
        string name = context.Text(kind) ?? throw context.Error(kind, $"it is missing. Name a {kind} of the kubeconfig");
        return entries.GetValueOrDefault(name)
            ?? throw context.Error(kind, $"{label} has no {kind} {PrintableText.Quote(name)}. Add it, or choose another context");
    }

    private static Uri ServerOf(KubeconfigEntry cluster)
    {
        string text = cluster.Text("server")
            ?? throw cluster.Error("server", "it is missing. Set the address, such as https://192.0.2.1:6443");
        return ServerAddress.Parse(text, out string problem) ?? throw cluster.Error("server", problem);
    }

    private static void CheckUser(KubeconfigEntry user)
    {
        if (user.Mapping("auth-provider") is not null)
            throw user.Error("auth-provider", "kubectl has removed these as well. Use an exec plugin of the same provider");

        foreach (string key in (string[])["as", "as-uid", "as-groups", "as-user-extra"])
        {
            if (user.Fields.Find(key) is { IsNull: false })
                throw user.Error(key, "the agent does not act as somebody else. Give it an account of its own");
        }

        bool hasToken = user.Text("token") is not null || user.Text("tokenFile") is not null;
        if (hasToken && (user.Text("username") ?? user.Text("password")) is not null)
            throw user.Error("username", "a token is set as well. Remove one of the two");

        bool hasCertificate = (user.Text("client-certificate") ?? user.Text("client-certificate-data")) is not null;
        bool hasKey = (user.Text("client-key") ?? user.Text("client-key-data")) is not null;
        if (hasCertificate && !hasKey)
            throw user.Error("client-key", "it is missing, and client-certificate is of no use without it. Set client-key or -data");

        if (hasKey && !hasCertificate)
            throw user.Error("client-certificate", "it is missing, and client-key is of no use without it. Set client-certificate or -data");
    }

    /// <summary>As in kubectl, a token file goes before a token, and either before a plugin.</summary>
    private static AuthenticationHeaderValue? AuthorizationOf(KubeconfigEntry user)
    {
        if (user.Text("tokenFile") is { } path)
        {
            var content = user.ReadFile("tokenFile", path);
            return BearerToken.Header(Encoding.UTF8.GetString(content.Bytes), "The token file " + content.Origin);
        }

        if (user.Text("token") is { } token)
            return BearerToken.Header(token, user.Describe("token"));

        return (user.Text("username") ?? user.Text("password")) is null
            ? null
            : new AuthenticationHeaderValue("Basic",
                Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user.Text("username")}:{user.Text("password")}")));
    }
}
