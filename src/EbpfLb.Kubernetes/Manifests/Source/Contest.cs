// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Manifests.Source;

/// <summary>An object that stands in two files.</summary>
/// <param name="Owner">The file whose object is in force.</param>
/// <param name="Other">The file whose object is not.</param>
/// <param name="Line">In the other file.</param>
internal readonly record struct Contest(ObjectKey Key, string Owner, string Other, int Line);
