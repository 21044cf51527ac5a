// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Migration;

/// <summary>What was just done when a migration says so. An agent that is killed after any of them leaves what the next one goes on from.</summary>
internal enum MigrationStep
{
    /// <summary>The new maps are pinned in the staging directory, empty. Until <see cref="Committed"/> a next start begins anew.</summary>
    Staged,

    Loaded,

    Filled,

    /// <summary>The new maps have everything and a directory of their own. From here on a next start goes forward.</summary>
    Committed,

    /// <summary>A link runs the new programs; those after it run the old ones.</summary>
    SwitchedOne,

    Switched,

    Completed,

    /// <summary>One of the new maps has its place.</summary>
    PinnedOne,

    Pinned,
}
