// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.LoadBalancing.Model;

/// <param name="Name">As in the API.</param>
/// <param name="Zone">Null when the node carries no zone label.</param>
public sealed record Node(string Name, string? Zone = null);
