// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Bench.Workload;

/// <summary>Complete, and on the file system of the directory it will be moved into.</summary>
internal readonly record struct StagedFile(string Path)
{
    /// <summary>One rename(2), which replaces the version that is there.</summary>
    public void MoveInto(string directory) =>
        File.Move(Path, System.IO.Path.Combine(directory, System.IO.Path.GetFileName(Path)), overwrite: true);
}
