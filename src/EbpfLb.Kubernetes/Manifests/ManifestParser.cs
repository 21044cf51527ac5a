// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Manifests.Decoding;
using EbpfLb.Kubernetes.Manifests.Tree;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Manifests;

/// <summary>
/// Reads a manifest, YAML or JSON by the file's name. Keeps nothing between files but texts they share, so one instance serves any
/// number of files, one at a time.
/// </summary>
public sealed class ManifestParser
{
    private readonly ManifestLimits _limits;
    private readonly TextPool _texts = new();

    public ManifestParser(ManifestLimits? limits = null) => _limits = limits ?? new ManifestLimits();

    /// <param name="fileName">For messages, and its ending for the format.</param>
    /// <param name="content">The whole file.</param>
    public ParsedManifest Parse(string fileName, ReadOnlyMemory<byte> content)
    {
        ArgumentNullException.ThrowIfNull(fileName);
        var report = new ProblemReport(fileName);
        if (content.Length > _limits.MaxFileBytes)
        {
            report.Add(Severity.Invalid, 0, "", "",
                $"the file has {content.Length} bytes, more than the {_limits.MaxFileBytes} that are read; split it");
            return new ParsedManifest([], report.ToProblems(), report.InvalidCount, report.IgnoredCount);
        }

        var manifest = new ManifestBuilder(report, _texts);
        try
        {
            EventReader events = ManifestFileName.IsJson(fileName)
                ? new JsonEventReader(content, _limits.MaxDepth)
                : new YamlEventReader(content);
            var trees = new TreeReader(events, _limits);
            while (trees.ReadDocument(manifest.TryAddItem) is { } root)
                manifest.AddDocument(root);
        }
        catch (ManifestSyntaxException error)
        {
            // What is missing at the end, the parser of YAML reports for the line after the last.
            int lines = 1 + content.Span.Count((byte)'\n') + content.Span.Count((byte)'\r');
            report.Add(Severity.Invalid, Math.Min(error.Line, lines), "", "", error.Message);
        }

        return manifest.Build();
    }
}
