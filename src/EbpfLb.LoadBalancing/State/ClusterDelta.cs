// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.State;

/// <param name="State">Until every source has listed: as it was last handed out.</param>
/// <param name="Dirty">
/// Services that may be different, that are new or gone. Some may turn out to be as before. Owned by the receiver.
/// </param>
/// <param name="IsComplete">False while a source has not told all it has: what is missing from the state may exist all the same.</param>
/// <param name="IsListed">False until every source has listed once: then nothing else here means anything yet.</param>
public sealed record ClusterDelta(ClusterState State, IReadOnlySet<ObjectName> Dirty, bool IsComplete, bool IsListed);
