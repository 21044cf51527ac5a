// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Manifests;

/// <summary>A problem and where it stands. Its texts are printable on one line, whatever the file contains.</summary>
/// <param name="Severity">Invalid: the file is not taken. Ignored: it is, without what the message names.</param>
/// <param name="File">Name within the directory.</param>
/// <param name="Line">From 1; 0 when no line is to blame.</param>
/// <param name="Object">As <see cref="ObjectKey.ToString"/>, or as much of it as is known; empty for the file as a whole.</param>
/// <param name="FieldPath">Empty for the object as a whole.</param>
/// <param name="Message">What is wrong and what is expected.</param>
public sealed record ManifestProblem(Severity Severity, string File, int Line, string Object, string FieldPath, string Message)
{
    /// <summary><c>Service default/web: spec.ports[0].port: 0 is not a port; expected 1 to 65535</c></summary>
    public string Description => string.Join(": ", new[] { Object, FieldPath, Message }.Where(part => part.Length > 0));

    public string Location => Line == 0 ? File : $"{File}:{Line}";

    public override string ToString() => $"{Location}: {Description}";
}
