// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;

namespace EbpfLb.Linux.Bpf;

/// <summary>Names of kernel objects: at most 15 bytes and a zero.</summary>
internal static class KernelName
{
    public static void Write(string name, Span<byte> destination)
    {
        if (name.Length >= BpfAttr.NameLength || !Ascii.IsValid(name))
            throw new ArgumentException($"'{name}' is no name for a kernel object: at most {BpfAttr.NameLength - 1} ASCII characters", nameof(name));
        destination.Clear();
        Encoding.ASCII.GetBytes(name, destination);
    }

    public static string Read(ReadOnlySpan<byte> source)
    {
        int end = source.IndexOf((byte)0);
        return Encoding.ASCII.GetString(end < 0 ? source : source[..end]);
    }
}
