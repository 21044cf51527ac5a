// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Bpf;

/// <summary>Everything BPF on the machine, by id. Takes CAP_SYS_ADMIN.</summary>
public static class BpfObjects
{
    public static IReadOnlyList<uint> ProgramIds() => Ids(BpfCommand.ProgGetNextId, "programs");

    public static IReadOnlyList<uint> MapIds() => Ids(BpfCommand.MapGetNextId, "maps");

    public static IReadOnlyList<uint> LinkIds() => Ids(BpfCommand.LinkGetNextId, "links");

    private static List<uint> Ids(BpfCommand command, string kind)
    {
        List<uint> ids = [];
        for (uint id = 0; ;)
        {
            BpfAttr.Id attr = new() { StartId = id };
            Errno errno = BpfSyscall.Invoke(command, ref attr, out _);
            if (errno == Errno.ENOENT)
                return ids;
            if (errno != Errno.None)
                throw new LinuxException($"list the {kind} of the kernel", errno);
            id = attr.NextId;
            ids.Add(id);
        }
    }
}
