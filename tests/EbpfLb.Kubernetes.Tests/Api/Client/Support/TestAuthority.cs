// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EbpfLb.Kubernetes.Tests.Api.Client.Support;

/// <summary>Issues certificates for servers and clients, valid around the real time, which TLS goes by.</summary>
internal sealed class TestAuthority : IDisposable
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    private readonly X509Certificate2 _certificate;

    public TestAuthority(string name, TestAuthority? issuer = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        if (issuer is null)
        {
            _certificate = request.CreateSelfSigned(Now.AddDays(-10), Now.AddDays(10));
        }
        else
        {
            using var bare = request.Create(issuer._certificate, Now.AddDays(-9), Now.AddDays(9), Serial());
            _certificate = bare.CopyWithPrivateKey(key);
        }
    }

    public string Pem => _certificate.ExportCertificatePem();

    /// <param name="names">Host names and addresses.</param>
    public X509Certificate2 IssueServer(params string[] names) => IssueServer(Now.AddDays(-1), Now.AddDays(1), names);

    public X509Certificate2 IssueExpiredServer(params string[] names) => IssueServer(Now.AddDays(-5), Now.AddDays(-2), names);

    public (string Certificate, string Key) IssueClient(string user, string format = "EC SEC1")
    {
        using var rsa = format.StartsWith("RSA", StringComparison.Ordinal) ? RSA.Create(2048) : null;
        using var ec = rsa is null ? ECDsa.Create(ECCurve.NamedCurves.nistP256) : null;
        string subject = "CN=" + user;
        var request = rsa is not null
            ? new CertificateRequest(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(subject, ec!, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], false));
        using var certificate = Sign(request, Now.AddDays(-1), Now.AddDays(1));
        string key = format switch
        {
            "RSA PKCS#1" => rsa!.ExportRSAPrivateKeyPem(),
            "RSA PKCS#8" => rsa!.ExportPkcs8PrivateKeyPem(),
            "EC SEC1" => ec!.ExportECPrivateKeyPem(),
            "EC SEC1 behind its parameters" => "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
                + ec!.ExportECPrivateKeyPem(),
            "EC PKCS#8" => ec!.ExportPkcs8PrivateKeyPem(),
            "EC with passphrase" => ec!.ExportEncryptedPkcs8PrivateKeyPem("x",
                new PbeParameters(PbeEncryptionAlgorithm.Aes128Cbc, HashAlgorithmName.SHA256, 1)),
            _ => throw new ArgumentException(format),
        };
        return (certificate.ExportCertificatePem(), key);
    }

    public void Dispose() => _certificate.Dispose();

    private static byte[] Serial() => [1, .. RandomNumberGenerator.GetBytes(8)];

    private X509Certificate2 IssueServer(DateTimeOffset from, DateTimeOffset to, string[] names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=server", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (string name in names)
        {
            if (IPAddress.TryParse(name, out var address))
                alternatives.AddIpAddress(address);
            else
                alternatives.AddDnsName(name);
        }

        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        using var certificate = Sign(request, from, to);
        return certificate.CopyWithPrivateKey(key);
    }

    private X509Certificate2 Sign(CertificateRequest request, DateTimeOffset from, DateTimeOffset to)
    {
        // Of any key, and not of the request's: what signs is always elliptic here.
        using var signer = _certificate.GetECDsaPrivateKey()!;
        return request.Create(_certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(signer), from, to, Serial());
    }
}
