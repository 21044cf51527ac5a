// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Manifests;
using EbpfLb.Kubernetes.Manifests.Tree;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Api.Client.Configuration;

/// <summary>
/// One file, or several merged as kubectl does: the first file to name a cluster, user or context has it whole, the first to set the
/// current context sets it.
/// </summary>
internal sealed class Kubeconfig
{
    private static readonly ManifestLimits Limits = new() { MaxNodesPerObject = 100_000, MaxDepth = 100 };

    private readonly Dictionary<string, KubeconfigEntry> _clusters = new(StringComparer.Ordinal);
    private readonly Dictionary<string, KubeconfigEntry> _users = new(StringComparer.Ordinal);
    private readonly Dictionary<string, KubeconfigEntry> _contexts = new(StringComparer.Ordinal);
    private readonly List<string> _files = [];

    private Kubeconfig()
    {
    }

    public IReadOnlyDictionary<string, KubeconfigEntry> Clusters => _clusters;

    public IReadOnlyDictionary<string, KubeconfigEntry> Users => _users;

    public IReadOnlyDictionary<string, KubeconfigEntry> Contexts => _contexts;

    public string? CurrentContext { get; private set; }

    /// <summary>That were read.</summary>
    public IReadOnlyList<string> Files => _files;

    /// <summary>For messages about no single file.</summary>
    public string Label => "Kubeconfig " + PrintableText.Escape(string.Join(", ", _files));

    /// <param name="paths">Of several, those that do not exist are left out; a single one must exist.</param>
    /// <exception cref="ApiUnreachableException">A file cannot be read, or is none.</exception>
    public static Kubeconfig Read(IReadOnlyList<string> paths)
    {
        string[] named = [.. paths.Where(path => path.Length > 0).Distinct(StringComparer.Ordinal)];
        if (named.Length == 0)
            throw new ApiUnreachableException("The list of kubeconfigs names no file. Name one, or unset it.");

        var merged = new Kubeconfig();
        foreach (string path in named)
        {
            if (named.Length == 1 || File.Exists(path) || Directory.Exists(path))
                merged.Add(path);
        }

        return merged._files.Count > 0
            ? merged
            : throw new ApiUnreachableException(
                $"None of the kubeconfigs {PrintableText.Escape(string.Join(", ", named))} exists. Name one that does.");
    }

    private void Add(string path)
    {
        var root = new KubeconfigEntry(path, "top level", Parse(path, CredentialFile.Read(path, "The kubeconfig")));
        if (root.Text("kind") is not (null or "Config"))
            throw root.Error("kind", "it must be Config. Name a kubeconfig");

        if (root.Text("apiVersion") is not (null or "v1"))
            throw root.Error("apiVersion", "it must be v1");

        _files.Add(path);
        CurrentContext ??= root.Text("current-context");
        Add(root, "clusters", "cluster", _clusters);
        Add(root, "users", "user", _users);
        Add(root, "contexts", "context", _contexts);
    }

    private static void Add(KubeconfigEntry root, string list, string kind, Dictionary<string, KubeconfigEntry> entries)
    {
        var own = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in root.Mappings(list))
        {
            string name = item.Text("name") ?? throw item.Error("name", "it is missing. Give the entry a name");
            if (!own.Add(name))
                throw item.Error("name", $"{PrintableText.Quote(name)} appears twice. Rename or remove one of the two");

            var fields = item.Mapping(kind)?.Fields ?? new ManifestMapping(0, 0);
            entries.TryAdd(name, new KubeconfigEntry(root.File, $"{kind} {PrintableText.Quote(name)}", fields));
        }
    }

    private static ManifestMapping Parse(string path, byte[] content)
    {
        try
        {
            return ReadRoot(content) switch
            {
                ManifestMapping mapping => mapping,
                null => throw new ApiUnreachableException($"The kubeconfig {PrintableText.Escape(path)} holds nothing but comments."),
                var other => throw new ApiUnreachableException(
                    $"The kubeconfig {PrintableText.Escape(path)} must be a mapping, not {KubeconfigEntry.KindOf(other)}."),
            };
        }
        catch (ManifestSyntaxException error)
        {
            // What the parser stumbled over may be half of a password: the line must do.
            throw new ApiUnreachableException($"The kubeconfig {PrintableText.Escape(path)} is not valid YAML or JSON, line {error.Line}. "
                + "'kubectl config view --kubeconfig' with this file says more.");
        }
    }

    private static ManifestNode? ReadRoot(byte[] content)
    {
        if (content.AsSpan().TrimStart(" \t\r\n"u8) is not [(byte)'{', ..])
            return ReadRoot(new YamlEventReader(content));

        try
        {
            return ReadRoot(new JsonEventReader(content, Limits.MaxDepth));
        }
        catch (ManifestSyntaxException)
        {
            // YAML in braces looks like it.
            return ReadRoot(new YamlEventReader(content));
        }
    }

    private static ManifestNode? ReadRoot(EventReader events) => new TreeReader(events, Limits).ReadDocument((_, _) => false);
}
