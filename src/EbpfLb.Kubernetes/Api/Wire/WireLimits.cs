// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Api.Wire;

/// <summary>What a server may cost. An API server takes no object of more than 3 MiB and no slice of more than 1,000 endpoints.</summary>
internal static class WireLimits
{
    /// <summary>Of a list: a page of 500 slices of 100 endpoints has some 20 MiB.</summary>
    public const int MaxBodyBytes = 256 * 1024 * 1024;

    /// <summary>Of one event of a watch.</summary>
    public const int MaxFrameBytes = 64 * 1024 * 1024;

    /// <summary>Of the body of an answer that is no success; the rest is not read.</summary>
    public const int MaxStatusBytes = 1024 * 1024;

    /// <summary>
    /// Objects, and items of the lists within them, in one message of protobuf: two bytes can make an object of a hundred. JSON has the
    /// limit of manifests for each object.
    /// </summary>
    public const int MaxElements = 8 * 1024 * 1024;

    /// <summary>Lists and mappings inside each other in an object of JSON. What is not read of protobuf is skipped, however deep.</summary>
    public const int MaxDepth = 1_500;

    /// <summary>Items of a list that cannot be read. With more of them it is no list of an API server.</summary>
    public const int MaxDefects = 10_000;
}
