// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Manifests.Source;

/// <summary>Which of the files that look different a rescan reads.</summary>
internal enum RescanMode : byte
{
    /// <summary>All of them: something said that files changed, and not which.</summary>
    Now,

    /// <summary>
    /// New ones and replaced ones. After a file went: what it held may have gone to another one in the same rename, and one batch must
    /// see both. A file that is merely being written is left to the event that comes when it is closed.
    /// </summary>
    Replaced,

    /// <summary>Those that have looked the same twice: nothing said that they changed, so nothing says that they are complete.</summary>
    Settled,
}
