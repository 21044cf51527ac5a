// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Manifests.Tree;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Api.Client.Configuration;

/// <summary>
/// A cluster, user or context of a kubeconfig, or a mapping in one. Values may be secrets, also those in the wrong place: no message
/// has one, only the field and what kind of value stands there. Null, empty and absent are the same, as kubectl has it.
/// </summary>
/// <param name="label">Such as "user 'admin'".</param>
/// <param name="prefix">Of the fields: "exec.".</param>
internal sealed class KubeconfigEntry(string file, string label, ManifestMapping fields, string prefix = "")
{
    public string File => file;

    public ManifestMapping Fields => fields;

    public string? Text(string key) => fields.Find(key) switch
    {
        null or { IsNull: true } => null,
        ManifestScalar { Kind: ScalarKind.String } scalar => scalar.Text.Length == 0 ? null : scalar.Text,
        ManifestScalar other => throw Error(key, $"it must be text, not {KindOf(other)}. Put it in quotes"),
        var other => throw Error(key, $"it must be text, not {KindOf(other)}"),
    };

    public bool Flag(string key) => fields.Find(key) switch
    {
        null or { IsNull: true } => false,
        ManifestScalar { Kind: ScalarKind.Boolean } scalar => PlainScalar.IsTrue(scalar.Text),
        var other => throw Error(key, $"it must be true or false, not {KindOf(other)}"),
    };

    public KubeconfigEntry? Mapping(string key) => fields.Find(key) switch
    {
        null or { IsNull: true } => null,
        ManifestMapping mapping => new KubeconfigEntry(file, label, mapping, $"{prefix}{key}."),
        var other => throw Error(key, $"it must be a mapping, not {KindOf(other)}"),
    };

    public IReadOnlyList<string> Texts(string key) =>
        [.. Items(key).Select((item, i) => item is ManifestScalar { Kind: ScalarKind.String } scalar
            ? scalar.Text
            : throw Error($"{key}[{i}]", $"it must be text, not {KindOf(item)}. Put it in quotes"))];

    public IReadOnlyList<KubeconfigEntry> Mappings(string key) =>
        [.. Items(key).Select((item, i) => item is ManifestMapping mapping
            ? new KubeconfigEntry(file, label, mapping, $"{prefix}{key}[{i}].")
            : throw Error($"{key}[{i}]", $"it must be a mapping, not {KindOf(item)}"))];

    /// <summary>A file, relative to the kubeconfig that names it, or base64 in the field ending in -data.</summary>
    public NamedContent? Content(string key)
    {
        string dataKey = key + "-data";
        string? path = Text(key);
        string? data = Text(dataKey);
        if (path is not null && data is not null)
            throw Error(dataKey, $"{key} is set as well. Remove one of the two");

        if (path is not null)
            return ReadFile(key, path);

        return data is null ? null : new NamedContent(Describe(dataKey), Decode(dataKey, data));
    }

    public NamedContent ReadFile(string key, string path)
    {
        string full = Path.GetFullPath(path, DirectoryOf(file));
        return new NamedContent(PrintableText.Escape(full), CredentialFile.Read(full, Describe(key)));
    }

    public ApiUnreachableException Error(string key, string message) => new($"{Describe(key)}: {message}.");

    public string Describe(string key) => $"Kubeconfig {PrintableText.Escape(file)}, {label}, {prefix}{key}";

    public static string DirectoryOf(string file) => Path.GetDirectoryName(Path.GetFullPath(file))!;

    public static string KindOf(ManifestNode node) => node switch
    {
        ManifestMapping => "a mapping",
        ManifestSequence => "a list",
        ManifestScalar { Kind: ScalarKind.Null } => "null",
        ManifestScalar { Kind: ScalarKind.Boolean } => "a boolean",
        ManifestScalar { Kind: ScalarKind.Integer or ScalarKind.Float } => "a number",
        _ => "text",
    };

    private IReadOnlyList<ManifestNode> Items(string key) => fields.Find(key) switch
    {
        null or { IsNull: true } => [],
        ManifestSequence sequence => sequence.Items,
        var other => throw Error(key, $"it must be a list, not {KindOf(other)}"),
    };

    private byte[] Decode(string key, string data)
    {
        byte[] bytes = new byte[data.Length];
        return Convert.TryFromBase64String(data, bytes, out int length)
            ? bytes[..length]
            : throw Error(key, "it is not base64. Encode the PEM text with 'base64 -w0'");
    }
}
