// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Cgroups;

namespace EbpfLb.Live.Tests.Support;

/// <summary>Somebody else's program at a connect hook. It lets everything pass.</summary>
internal sealed class ForeignProgram : IAsyncDisposable
{
    public const string Name = "foreign";

    private const ulong ReturnOne = 0x1_0000_00b7;
    private const ulong Exit = 0x95;

    private readonly BpfProgram _program;
    private readonly string _pin;
    private readonly string _cgroup;
    private bool _isDetached;

    private ForeignProgram(BpfProgram program, string pin, string cgroup)
    {
        _program = program;
        _pin = pin;
        _cgroup = cgroup;
    }

    public uint Id => _program.Info.Id;

    /// <summary>Still where it was put.</summary>
    public bool IsAttached => ProgramsOf(_cgroup).Contains(Id);

    /// <param name="multi">Whether others may join it.</param>
    public static async Task<ForeignProgram> AttachAsync(string bpffs, string cgroup, bool multi)
    {
        var program = BpfProgram.LoadRaw(Name, BpfProgramType.CgroupSockAddr, BpfAttachType.CgroupInet4Connect, [ReturnOne, Exit]);
        var foreign = new ForeignProgram(program, Path.Combine(bpffs, Name), cgroup);
        program.Pin(foreign._pin);
        string[] flags = multi ? ["multi"] : [];
        await Programs.OutputOfAsync("bpftool", ["cgroup", "attach", cgroup, "connect4", "pinned", foreign._pin, .. flags]);
        return foreign;
    }

    /// <summary>In the order they run at that hook.</summary>
    public static IReadOnlyList<uint> ProgramsOf(string cgroup)
    {
        using var directory = CgroupDirectory.Open(cgroup);
        return BpfCgroup.QueryPrograms(directory, BpfAttachType.CgroupInet4Connect, effective: false, out _);
    }

    public async Task DetachAsync()
    {
        _isDetached = true;
        await Programs.OutputOfAsync("bpftool", ["cgroup", "detach", _cgroup, "connect4", "pinned", _pin]);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_isDetached)
            await DetachAsync();
        File.Delete(_pin);
        _program.Dispose();
    }
}
