// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Api.Wire;

/// <param name="ResourceVersion">Of the whole list; a watch from there misses nothing.</param>
/// <param name="Continue">Asks for the next page; null on the last one.</param>
/// <param name="Defects">One for each item that could not be read.</param>
internal sealed record ListPage(
    IReadOnlyList<ApiObject> Items, string? ResourceVersion, string? Continue, IReadOnlyList<WireDefect> Defects);
