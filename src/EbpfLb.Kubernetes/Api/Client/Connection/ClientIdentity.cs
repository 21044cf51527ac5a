// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EbpfLb.Kubernetes.Api.Client.Configuration;

namespace EbpfLb.Kubernetes.Api.Client.Connection;

/// <summary>Certificates and keys as PEM text: RSA and EC, in PKCS#1, PKCS#8 or SEC1.</summary>
internal static class ClientIdentity
{
    /// <summary>The certificate with its key, and the intermediates that the file has behind it.</summary>
    /// <exception cref="ApiUnreachableException">They cannot be used, or do not belong together.</exception>
    public static SslStreamCertificateContext Load(NamedContent certificate, NamedContent key)
    {
        var chain = Certificates(certificate);
        string keyText = Encoding.UTF8.GetString(key.Bytes);
        if (keyText.Contains("ENCRYPTED", StringComparison.Ordinal))
            throw new ApiUnreachableException($"{key.Origin}: the key needs a passphrase. Store it without one, readable by the agent alone.");

        try
        {
            var leaf = X509Certificate2.CreateFromPem(Encoding.UTF8.GetString(certificate.Bytes), keyText);
            return SslStreamCertificateContext.Create(leaf, [.. chain.Skip(1)], offline: true);
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException or NotSupportedException)
        {
            throw new ApiUnreachableException($"{key.Origin}: this is no private key, as PEM text, of the certificate in "
                + $"{certificate.Origin}. Store the two that were issued together.");
        }
    }

    /// <exception cref="ApiUnreachableException">There is none.</exception>
    public static X509Certificate2Collection Certificates(NamedContent content)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(Encoding.UTF8.GetString(content.Bytes));
        }
        catch (CryptographicException)
        {
            throw new ApiUnreachableException($"{content.Origin}: a certificate in it is damaged. Store what was issued.");
        }

        return certificates.Count > 0
            ? certificates
            : throw new ApiUnreachableException(
                $"{content.Origin}: there is no certificate in it, as PEM text (-----BEGIN CERTIFICATE-----). Store what was issued.");
    }
}
