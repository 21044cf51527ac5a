// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Manifests.Source;

/// <summary>
/// Which of the files that look different a rescan reads without waiting until they have looked the same for the settling time.
/// </summary>
internal enum RescanMode : byte
{
    /// <summary>
    /// Links to another file than before: something changed, nobody knows what, and a mounted ConfigMap changes like this, complete
    /// and all files at once. Any other file may be in the middle of being written, whatever the event was about.
    /// </summary>
    Told,

    /// <summary>None: nothing said that they changed, so nothing says that they are complete.</summary>
    Untold,
}
