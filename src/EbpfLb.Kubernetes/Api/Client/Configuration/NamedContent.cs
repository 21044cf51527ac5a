// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Security.Cryptography;

namespace EbpfLb.Kubernetes.Api.Client.Configuration;

/// <summary>What a file or an inline field holds, often a secret. A class, so that nothing prints it.</summary>
/// <param name="origin">For messages: the file, or the kubeconfig with the field.</param>
internal sealed class NamedContent(string origin, byte[] bytes)
{
    public string Origin { get; } = origin;

    public byte[] Bytes { get; } = bytes;

    public string Hash => Convert.ToHexString(SHA256.HashData(Bytes));
}
