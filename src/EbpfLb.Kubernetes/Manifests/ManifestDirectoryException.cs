// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Manifests;

/// <summary>The directory cannot be used at all. The message names it and says what to do.</summary>
public sealed class ManifestDirectoryException(string message, Exception? inner = null) : Exception(message, inner);
