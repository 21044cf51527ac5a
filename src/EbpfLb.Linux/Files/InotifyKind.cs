// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Files;

public enum InotifyKind
{
    /// <summary>A name appeared; of a regular file the content follows, of a symbolic link it does not.</summary>
    Created,

    /// <summary>A file open for writing was closed.</summary>
    Written,

    /// <summary>A name appeared, or was replaced, by a rename.</summary>
    MovedTo,

    /// <summary>A name went by a rename.</summary>
    MovedFrom,

    Deleted,

    /// <summary>Mode, owner or times. Without a name: of the directory itself.</summary>
    AttributesChanged,

    /// <summary>The directory was deleted, moved or unmounted. Nothing follows.</summary>
    DirectoryGone,

    /// <summary>The kernel dropped events: only a new look at the directory tells what is there.</summary>
    Overflow,
}
