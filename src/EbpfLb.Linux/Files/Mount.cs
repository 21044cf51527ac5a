// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Files;

/// <param name="Options">Comma-separated, as the kernel writes them.</param>
public sealed record Mount(string Device, string MountPoint, string FileSystemType, string Options)
{
    public bool IsReadOnly => Options.Split(',').Contains("ro");
}
