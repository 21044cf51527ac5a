// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using System.Text;

namespace EbpfLb.Linux.Files;

public static partial class Mounts
{
    private const uint MS_NOSUID = 2;
    private const uint MS_NODEV = 4;
    private const uint MS_NOEXEC = 8;
    private const int MNT_DETACH = 2;

    /// <summary>In the order they were mounted: of two on one directory, the later one is seen.</summary>
    public static IReadOnlyList<Mount> Read(string path = "/proc/self/mounts") => Parse(File.ReadLines(path));

    public static IReadOnlyList<Mount> FindAll(string fileSystemType, string path = "/proc/self/mounts")
        => [.. Read(path).Where(mount => mount.FileSystemType == fileSystemType)];

    /// <summary>Mounts a BPF file system that only root can enter (mode 0700, and the sticky bit the kernel adds). Takes CAP_SYS_ADMIN.</summary>
    public static void MountBpf(string target)
    {
        if (mount("bpf", target, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") != 0)
            throw new LinuxException($"mount a BPF file system on {target}", (Errno)Marshal.GetLastPInvokeError());
    }

    /// <param name="target">The directory.</param>
    /// <param name="detach">Hide it now and free it when the last user is gone, instead of EBUSY.</param>
    public static void Unmount(string target, bool detach = false)
    {
        if (umount2(target, detach ? MNT_DETACH : 0) != 0)
            throw new LinuxException($"unmount {target}", (Errno)Marshal.GetLastPInvokeError());
    }

    internal static IReadOnlyList<Mount> Parse(IEnumerable<string> lines)
    {
        List<Mount> mounts = [];
        foreach (string line in lines)
        {
            string[] fields = line.Split(' ');
            if (fields.Length >= 4)
                mounts.Add(new(Unescape(fields[0]), Unescape(fields[1]), Unescape(fields[2]), Unescape(fields[3])));
        }

        return mounts;
    }

    // The kernel writes space, tab, newline, backslash and # as three octal digits, everything else as it is.
    private static string Unescape(string field)
    {
        if (!field.Contains('\\'))
            return field;
        StringBuilder text = new(field.Length);
        for (int i = 0; i < field.Length; i++)
        {
            if (field[i] == '\\' && i + 3 < field.Length && IsOctal(field[i + 1]) && IsOctal(field[i + 2]) && IsOctal(field[i + 3]))
            {
                text.Append((char)(((field[i + 1] - '0') << 6) | ((field[i + 2] - '0') << 3) | (field[i + 3] - '0')));
                i += 3;
            }
            else
            {
                text.Append(field[i]);
            }
        }

        return text.ToString();
    }

    private static bool IsOctal(char digit) => digit is >= '0' and <= '7';

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mount(string source, string target, string filesystemtype, nuint mountflags, string data);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int umount2(string target, int flags);
}
