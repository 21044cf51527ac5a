// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Manifests.Source;

/// <summary>One attempt to read a file.</summary>
/// <param name="Look">From before the content was read: what is written meanwhile makes the next look differ.</param>
/// <param name="Version">Null when the file is missing.</param>
/// <param name="Manifest">Null when the file is missing, or the version is the one that is known.</param>
internal sealed record FileReading(FileLook Look, UInt128? Version, ParsedManifest? Manifest)
{
    public bool IsMissing => Look.State == FileState.Missing;
}
