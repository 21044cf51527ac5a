// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace EbpfLb.FakeApi.Security;

/// <summary>The file that leads a client to the server.</summary>
public sealed record Kubeconfig(string Server)
{
    /// <summary>PEM.</summary>
    public string? Authority { get; init; }

    public string? Token { get; init; }

    public string? TokenFile { get; init; }

    public X509Certificate2? ClientCertificate { get; init; }

    /// <summary>Readable by its owner alone.</summary>
    public void Write(string path) => WriteSecret(path, ToString());

    internal static void WriteSecret(string path, string text)
    {
        using var stream = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        stream.Write(Encoding.UTF8.GetBytes(text));
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append("apiVersion: v1\nkind: Config\ncurrent-context: fake\n");
        text.Append("contexts:\n- name: fake\n  context:\n    cluster: fake\n    user: fake\n");
        text.Append($"clusters:\n- name: fake\n  cluster:\n    server: {Server}\n");
        if (Authority is not null)
            text.Append($"    certificate-authority-data: {Base64(Authority)}\n");
        text.Append("users:\n- name: fake\n  user:");
        text.Append(Token is null && TokenFile is null && ClientCertificate is null ? " {}\n" : "\n");
        if (Token is not null)
            text.Append($"    token: {Token}\n");
        if (TokenFile is not null)
            text.Append($"    tokenFile: {TokenFile}\n");
        if (ClientCertificate is not null)
        {
            text.Append($"    client-certificate-data: {Base64(ClientCertificate.ExportCertificatePem())}\n");
            text.Append($"    client-key-data: {Base64(KeyOf(ClientCertificate))}\n");
        }
        return text.ToString();
    }

    internal static string KeyOf(X509Certificate2 certificate)
    {
        using var key = certificate.GetECDsaPrivateKey()!;
        return key.ExportPkcs8PrivateKeyPem();
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
