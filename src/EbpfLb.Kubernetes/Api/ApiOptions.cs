// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Api;

/// <summary>Which API server to follow, and as whom.</summary>
public sealed record ApiOptions
{
    /// <summary>Merged as kubectl merges them: the first file to set a value wins. Empty: the service account of the pod.</summary>
    public IReadOnlyList<string> Kubeconfigs { get; init; } = [];

    /// <summary>Of the kubeconfig. Null: its current one.</summary>
    public string? Context { get; init; }

    /// <summary>Takes the place of the server that the kubeconfig or the pod's environment names.</summary>
    public string? Server { get; init; }
}
