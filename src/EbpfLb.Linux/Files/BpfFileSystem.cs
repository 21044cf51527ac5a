// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Files;

public static class BpfFileSystem
{
    private const uint BPF_FS_MAGIC = 0xcafe4a11;

    /// <summary>Whether pins can live in a directory.</summary>
    public static bool Contains(DirectoryHandle directory) => directory.FileSystemMagic() == BPF_FS_MAGIC;
}
