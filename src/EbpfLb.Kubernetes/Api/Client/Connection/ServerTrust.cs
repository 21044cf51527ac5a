// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using EbpfLb.Kubernetes.Api.Client.Configuration;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Api.Client.Connection;

/// <summary>Decides about a server's certificate, and says why not.</summary>
internal sealed class ServerTrust(NamedContent? authorities, bool insecure)
{
    private readonly X509Certificate2Collection _authorities = authorities is null ? [] : ClientIdentity.Certificates(authorities);

    public void Apply(SslClientAuthenticationOptions tls)
    {
        tls.RemoteCertificateValidationCallback = (stream, certificate, chain, errors) =>
            insecure || errors == SslPolicyErrors.None || IsTrusted((SslStream)stream, certificate as X509Certificate2, chain, errors);
        if (authorities is null)
            return;

        tls.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        tls.CertificateChainPolicy.CustomTrustStore.AddRange(_authorities);
    }

    private bool IsTrusted(SslStream stream, X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null || chain is null)
            throw new CertificateRefusedException("it shows no certificate");

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) && !EndsAtAuthority(chain))
            throw new CertificateRefusedException(ChainProblem(certificate, chain));

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            throw new CertificateRefusedException($"its certificate is for {NamesOf(certificate)}, not for "
                + $"{PrintableText.Quote(stream.TargetHostName)}. Use one of these names in the server's address, or set tls-server-name");
        }

        return true;
    }

    /// <summary>
    /// An authority may itself be issued by another: being in the bundle is what makes it trusted, as in all of Kubernetes. .NET wants
    /// a root at the end, and calls the chain partial. Signatures up to that authority have been checked.
    /// </summary>
    private bool EndsAtAuthority(X509Chain chain) =>
        chain.ChainStatus.All(status => status.Status == X509ChainStatusFlags.PartialChain)
        && chain.ChainElements.Count > 0
        && _authorities.Any(authority => authority.RawDataMemory.Span.SequenceEqual(chain.ChainElements[^1].Certificate.RawDataMemory.Span));

    private string ChainProblem(X509Certificate2 certificate, X509Chain chain)
    {
        var late = chain.ChainElements.FirstOrDefault(element =>
            element.ChainElementStatus.Any(status => status.Status == X509ChainStatusFlags.NotTimeValid))?.Certificate;
        if (late is not null)
        {
            string whose = late.Equals(certificate) ? "its certificate" : $"the certificate of its issuer {PrintableText.Quote(late.Subject)}";
            return $"{whose} is valid from {late.NotBefore.ToUniversalTime():u} to {late.NotAfter.ToUniversalTime():u}, and the clock here "
                + $"says {chain.ChainPolicy.VerificationTime.ToUniversalTime():u}. Renew it, or set the clock";
        }

        string trusted = authorities is null ? "the system trusts, and no certificate-authority is set" : $"{authorities.Origin} has";
        if (chain.ChainStatus.Any(status => status.Status is X509ChainStatusFlags.PartialChain or X509ChainStatusFlags.UntrustedRoot
            or X509ChainStatusFlags.NotSignatureValid))
        {
            return $"its certificate, issued by {PrintableText.Quote(certificate.Issuer)}, comes from no authority that {trusted}. "
                + "Set certificate-authority to the one of this cluster";
        }

        string reasons = string.Join(", ", chain.ChainStatus.Select(status => status.Status.ToString()).Distinct());
        return $"its certificate cannot be used ({reasons}). Issue a new one for servers";
    }

    private static string NamesOf(X509Certificate2 certificate)
    {
        var extension = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        string[] names = extension is null
            ? []
            : [.. extension.EnumerateDnsNames(), .. extension.EnumerateIPAddresses().Select(address => address.ToString())];
        return names.Length == 0
            ? "no name and no address"
            : string.Join(", ", names.Take(10).Select(PrintableText.Escape)) + (names.Length > 10 ? ", ..." : "");
    }
}
