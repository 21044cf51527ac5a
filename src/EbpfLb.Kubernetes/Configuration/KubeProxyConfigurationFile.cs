// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Manifests;
using EbpfLb.Kubernetes.Manifests.Tree;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Configuration;

/// <summary>A KubeProxyConfiguration as it was found. Its texts are printable, whatever the file contains.</summary>
/// <param name="Configuration">For use only if nothing is wrong.</param>
/// <param name="Errors">A sentence for everything that is: file, line, field, value, and what was expected.</param>
/// <param name="Warnings">Fields that nobody knows, one each; and all that mean nothing here, in one.</param>
public sealed record KubeProxyConfigurationFile(
    KubeProxyConfiguration Configuration, IReadOnlyList<string> Errors, IReadOnlyList<string> Warnings)
{
    private const int MaxBytes = 1024 * 1024;

    public static KubeProxyConfigurationFile Read(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            byte[] content = new byte[MaxBytes + 1];
            int length = file.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
            return length <= MaxBytes
                ? Parse(path, content.AsMemory(0, length))
                : Failed($"{PrintableText.Escape(path)}: more than {MaxBytes} bytes are no configuration.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            string cause = Directory.Exists(path) ? "it is a directory"
                : exception is FileNotFoundException or DirectoryNotFoundException ? "there is no such file"
                : exception is UnauthorizedAccessException ? "permission denied"
                : PrintableText.Escape(exception.Message.TrimEnd('.'));
            return Failed($"--config {PrintableText.Escape(path)}: {cause}. Name the file that has the KubeProxyConfiguration.");
        }
    }

    /// <param name="path">For messages.</param>
    /// <param name="content">YAML or JSON.</param>
    public static KubeProxyConfigurationFile Parse(string path, ReadOnlyMemory<byte> content)
    {
        var walk = new Walk(PrintableText.Escape(path));
        try
        {
            // kubeadm calls the file config.conf: the name does not tell.
            EventReader events = content.Span.TrimStart(" \t\r\n"u8) is [(byte)'{', ..]
                ? new JsonEventReader(content, new ManifestLimits().MaxDepth)
                : new YamlEventReader(content);
            walk.Take(ReadDocuments(events));
        }
        catch (ManifestSyntaxException error)
        {
            walk.Refuse(error.Line, "", error.Message + ".");
        }

        return walk.Finish();
    }

    private static List<ManifestNode> ReadDocuments(EventReader events)
    {
        var trees = new TreeReader(events, new ManifestLimits());
        var documents = new List<ManifestNode>();
        while (trees.ReadDocument((_, _) => false) is { } root)
        {
            if (!root.IsNull)
                documents.Add(root);
        }

        return documents;
    }

    private static KubeProxyConfigurationFile Failed(string error) => new(new KubeProxyConfiguration(), [error], []);

    private sealed class Walk(string file)
    {
        private readonly List<string> _errors = [];
        private readonly List<string> _warnings = [];
        private readonly List<string> _passedOver = [];
        private KubeProxyConfiguration _configuration = new();

        public void Take(List<ManifestNode> documents)
        {
            if (documents is not [ManifestMapping root])
            {
                int line = documents.Count < 2 ? 1 : documents[1].Line;
                Refuse(line, "", $"one {KubeProxyConfiguration.Kind} is expected, and nothing else.");
                return;
            }

            Identify(root, "apiVersion", KubeProxyConfiguration.ApiVersion);
            Identify(root, "kind", KubeProxyConfiguration.Kind);
            // Of another kind, no field means what it seems to.
            if (_errors.Count == 0)
                TakeFields(root, "");
        }

        public void Refuse(int line, string path, string message) =>
            _errors.Add($"{file}:{line}: {(path.Length == 0 ? "" : path + ": ")}{message}");

        public KubeProxyConfigurationFile Finish()
        {
            if (_passedOver.Count > 0)
                _warnings.Add($"{file}: these fields mean nothing here and are passed over: {string.Join(", ", _passedOver)}");
            return new KubeProxyConfigurationFile(_configuration, _errors, _warnings);
        }

        private void Identify(ManifestMapping root, string key, string expected)
        {
            var node = root.Find(key);
            if (node is ManifestScalar { Kind: ScalarKind.String } scalar && scalar.Text == expected)
                return;

            string found = node is null or { IsNull: true } ? "it is missing" : $"{node.Description} is not read";
            string hint = node is ManifestScalar { Text: "ConfigMap" } ? " Name a file with what the ConfigMap has below data." : "";
            Refuse((node ?? root).Line, key, $"{found}; write {expected}.{hint}");
        }

        private void TakeFields(ManifestMapping mapping, string prefix)
        {
            foreach (var (key, node) in mapping.Entries)
            {
                string path = prefix + key;
                if (path is "apiVersion" or "kind")
                    continue;

                if (KubeProxyFields.Find(path) is { } field)
                    TakeField(field, node);
                else if (!KubeProxyFields.IsGroup(path))
                {
                    _warnings.Add(
                        $"{file}:{node.Line}: {PrintableText.Quote(path)} is no field of a {KubeProxyConfiguration.Kind}, and ignored");
                }
                else if (node is ManifestMapping group)
                    TakeFields(group, path + ".");
                else if (!node.IsNull)
                    Refuse(node.Line, path, $"{node.Description} is not a mapping.");
            }
        }

        private void TakeField(KubeProxyField field, ManifestNode node)
        {
            _configuration = field.Apply(
                _configuration, node, (wrong, expected) => Refuse(wrong.Line, field.Path, $"{wrong.Description} is not {expected}."),
                out bool saysNothing);
            if (field.IsPassedOver && !saysNothing)
                _passedOver.Add(field.Path);
        }
    }
}
