// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Files;

namespace EbpfLb.TestSupport;

/// <summary>A BPF file system of the test's own: what it pins goes with it.</summary>
internal sealed class PrivateBpffs : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public PrivateBpffs()
    {
        Mounts.MountBpf(_directory.Path);
    }

    public string Path => _directory.Path;

    public string Pin(string name) => _directory.Combine(name);

    public void Dispose()
    {
        Mounts.Unmount(_directory.Path, detach: true);
        _directory.Dispose();
    }
}
