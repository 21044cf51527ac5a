// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using EbpfLb.Kubernetes.Api.Client.Connection;
using EbpfLb.Kubernetes.Api.Client.Credentials;

namespace EbpfLb.Kubernetes.Api.Client.Configuration;

/// <summary>What Kubernetes gives every pod: where the API server is, and a service account.</summary>
/// <param name="Host">Without brackets, also an IPv6 address.</param>
internal sealed record PodEnvironment(string? Host, string? Port, string Directory)
{
    public const string ServiceAccountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount";

    private string TokenPath => Path.Combine(Directory, "token");

    private string AuthorityPath => Path.Combine(Directory, "ca.crt");

    public bool IsPod => !string.IsNullOrEmpty(Host) && !string.IsNullOrEmpty(Port);

    public static PodEnvironment OfProcess() => new(Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST"),
        Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_PORT"), ServiceAccountDirectory);

    /// <param name="server">Instead of the one that the environment names. Outside of a pod it is used without credentials.</param>
    /// <exception cref="ApiUnreachableException">There is no server, or no account.</exception>
    public ApiConfiguration Resolve(Uri? server)
    {
        if (server is not null && (server.Scheme != Uri.UriSchemeHttps || (!IsPod && !File.Exists(TokenPath))))
            return new ApiConfiguration { Endpoint = new EndpointSettings { Server = server } };

        server ??= ServerOfPod();
        byte[] token = CredentialFile.Read(TokenPath, "The service account of the pod");
        byte[] authorities = CredentialFile.Read(AuthorityPath, "The service account of the pod");
        return new ApiConfiguration
        {
            Endpoint = new EndpointSettings { Server = server, Authorities = new NamedContent(AuthorityPath, authorities) },
            Authorization = BearerToken.Header(Encoding.UTF8.GetString(token), "The token file " + TokenPath),
        };
    }

    private Uri ServerOfPod()
    {
        if (!IsPod)
        {
            throw new ApiUnreachableException("No API server is named: there is no kubeconfig, and this is no pod "
                + "(KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set). Name a kubeconfig.");
        }

        string host = Host!.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host;
        return ServerAddress.Parse($"https://{host}:{Port}", out _) ?? throw new ApiUnreachableException(
            "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT do not make an address. Name a kubeconfig, or repair the environment.");
    }
}
