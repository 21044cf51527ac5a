// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Security.Cryptography;
using System.Text;
using EbpfLb.Kubernetes.Api.Client.Configuration;

namespace EbpfLb.Kubernetes.Api.Client.Connection;

/// <summary>What a connection is made with. When any of it changes, there is a new <see cref="ApiConnection"/>.</summary>
internal sealed class EndpointSettings
{
    public required Uri Server { get; init; }

    /// <summary>The only ones that are trusted. Null: those of the system.</summary>
    public NamedContent? Authorities { get; init; }

    public bool Insecure { get; init; }

    /// <summary>The name that the certificate must have, when it is not the host of the server's address.</summary>
    public string? ServerName { get; init; }

    public NamedContent? Certificate { get; init; }

    public NamedContent? Key { get; init; }

    /// <summary>Without user and password, which are in <see cref="ProxyCredential"/>.</summary>
    public Uri? Proxy { get; init; }

    public NetworkCredential? ProxyCredential { get; init; }

    /// <summary>For messages.</summary>
    public string Name => Server.GetLeftPart(UriPartial.Path).TrimEnd('/');

    public bool IsSecure => Server.Scheme == Uri.UriSchemeHttps;

    /// <summary>Equal for settings that make the same connections.</summary>
    public string Fingerprint
    {
        get
        {
            string text = string.Join('\n', Server, Authorities?.Hash, Insecure, ServerName, Certificate?.Hash, Key?.Hash, Proxy,
                ProxyCredential?.UserName, ProxyCredential?.Password);
            return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
        }
    }

    public EndpointSettings WithIdentity(NamedContent certificate, NamedContent key) => new()
    {
        Server = Server,
        Authorities = Authorities,
        Insecure = Insecure,
        ServerName = ServerName,
        Certificate = certificate,
        Key = key,
        Proxy = Proxy,
        ProxyCredential = ProxyCredential,
    };
}
