// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Manifests.Decoding;

/// <summary>Collects the problems of one file.</summary>
internal sealed class ProblemReport(string file)
{
    private readonly string _file = PrintableText.Escape(file);
    private readonly List<ManifestProblem> _invalid = [];
    private readonly List<ManifestProblem> _ignored = [];

    public int InvalidCount { get; private set; }

    public int IgnoredCount { get; private set; }

    public void Add(Severity severity, int line, string what, string fieldPath, string message)
    {
        var kept = severity == Severity.Invalid ? _invalid : _ignored;
        if (kept.Count < ParsedManifest.ProblemLimit)
        {
            kept.Add(new ManifestProblem(severity, _file, line, PrintableText.Escape(what), PrintableText.Escape(fieldPath),
                PrintableText.Escape(message)));
        }

        Count(severity, 1);
    }

    /// <summary>For problems that were counted and not kept.</summary>
    public void Count(Severity severity, int problems)
    {
        if (severity == Severity.Invalid)
            InvalidCount += problems;
        else
            IgnoredCount += problems;
    }

    public IReadOnlyList<ManifestProblem> ToProblems() =>
        [.. _invalid.OrderBy(problem => problem.Line), .. _ignored.OrderBy(problem => problem.Line)];
}
