// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EbpfLb.FakeApi.Security;

/// <summary>An authority that lives as long as the server does, and what it issues.</summary>
public sealed class CertificateAuthority : IDisposable
{
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(5);

    private readonly X509Certificate2 _certificate;
    private readonly TimeProvider _time;

    public CertificateAuthority(TimeProvider time, string name = "fake-ca")
    {
        _time = time;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        _certificate = request.CreateSelfSigned(_time.GetUtcNow() - TimeSpan.FromDays(30), _time.GetUtcNow() + TimeSpan.FromDays(30));
    }

    public string Pem => _certificate.ExportCertificatePem();

    /// <param name="expired">Its time was over an hour ago.</param>
    /// <param name="names">Host names and addresses that it is good for.</param>
    public X509Certificate2 IssueServer(IEnumerable<string> names, bool expired = false)
    {
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (string name in names)
        {
            if (IPAddress.TryParse(name, out var address))
                alternatives.AddIpAddress(address);
            else
                alternatives.AddDnsName(name);
        }
        return Issue("CN=kube-apiserver", "1.3.6.1.5.5.7.3.1", expired, alternatives.Build());
    }

    public X509Certificate2 IssueClient(string user, bool expired = false) => Issue($"CN={user}", "1.3.6.1.5.5.7.3.2", expired, null);

    public bool HasIssued(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_certificate);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }

    public void Dispose() => _certificate.Dispose();

    private X509Certificate2 Issue(string subject, string usage, bool expired, X509Extension? alternatives)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        if (alternatives is not null)
            request.CertificateExtensions.Add(alternatives);
        var now = _time.GetUtcNow();
        using var issued = request.Create(
            _certificate, now - TimeSpan.FromDays(1), expired ? now - TimeSpan.FromHours(1) : now + TimeSpan.FromDays(1) + Margin,
            RandomNumberGenerator.GetBytes(16));
        return issued.CopyWithPrivateKey(key);
    }
}
