// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Cgroups;
using EbpfLb.Linux.Processes;
using EbpfLb.Linux.Tests.Support;

namespace EbpfLb.Linux.Tests.Bpf;

public sealed class BpfLinkTests
{
    private const int Deny = 0;
    private const int Allow = 1;
    private const uint AllowMulti = 2;

    [PrivilegedFact]
    public void A_link_reports_its_program_and_its_cgroup()
    {
        using ChildCgroup cgroup = new();
        using BpfProgram program = Instructions.Connect4("allow", Allow);
        using BpfLink link = Attach(program, cgroup);

        BpfLinkInfo info = link.Info;
        Assert.Equal(BpfLinkType.Cgroup, info.Type);
        Assert.Equal(program.Info.Id, info.ProgramId);
        Assert.Equal(cgroup.Directory.Id, info.CgroupId);
        Assert.Equal(BpfAttachType.CgroupInet4Connect, info.AttachType);
        Assert.Contains(info.Id, BpfObjects.LinkIds());
        using BpfLink byId = BpfLink.FromId(info.Id);
        Assert.Equal(info, byId.Info);
    }

    [PrivilegedFact]
    public void Programs_of_a_cgroup_are_listed_in_order_and_a_closed_link_is_gone()
    {
        using ChildCgroup cgroup = new();
        using BpfProgram first = Instructions.Connect4("first", Allow);
        using BpfProgram second = Instructions.Connect4("second", Allow);
        Assert.Empty(Query(cgroup, out _));

        using (Attach(first, cgroup))
        using (Attach(second, cgroup))
        {
            Assert.Equal([first.Info.Id, second.Info.Id], Query(cgroup, out uint flags));
            Assert.Equal(AllowMulti, flags);
        }

        Assert.Empty(Query(cgroup, out _));
    }

    [PrivilegedFact]
    public void Inherited_programs_are_listed_when_asked_for()
    {
        using ChildCgroup parent = new();
        string child = Path.Combine(parent.Path, "child");
        Directory.CreateDirectory(child);
        try
        {
            using CgroupDirectory directory = CgroupDirectory.Open(child);
            using BpfProgram program = Instructions.Connect4("inherited", Allow);
            using BpfLink link = Attach(program, parent);

            Assert.Empty(BpfCgroup.QueryPrograms(directory, BpfAttachType.CgroupInet4Connect, effective: false, out _));
            Assert.Contains(
                program.Info.Id, BpfCgroup.QueryPrograms(directory, BpfAttachType.CgroupInet4Connect, effective: true, out _));
        }
        finally
        {
            Directory.Delete(child);
        }
    }

    [PrivilegedFact]
    public async Task An_update_replaces_what_processes_of_the_cgroup_meet()
    {
        using ChildCgroup cgroup = new();
        using BpfProgram deny = Instructions.Connect4("deny", Deny);
        using BpfProgram allow = Instructions.Connect4("allow", Allow);
        using BpfLink link = Attach(deny, cgroup);
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();

        ProcessResult denied = await ConnectFromInside(cgroup, listener);
        Assert.NotEqual(0, denied.ExitCode);
        Assert.Contains("Operation not permitted", denied.StdErr, StringComparison.Ordinal);

        link.Update(allow);
        Assert.Equal(allow.Info.Id, link.Info.ProgramId);
        Assert.Equal(new ProcessResult(0, "", ""), await ConnectFromInside(cgroup, listener));
    }

    [PrivilegedFact]
    public void A_detached_link_has_no_cgroup_and_takes_no_update()
    {
        using ChildCgroup cgroup = new();
        using BpfProgram program = Instructions.Connect4("allow", Allow);
        using BpfLink link = Attach(program, cgroup);

        link.Detach();

        Assert.Empty(Query(cgroup, out _));
        Assert.Equal(0ul, link.Info.CgroupId);
        LinuxException exception = Assert.Throws<LinuxException>(() => link.Update(program));
        Assert.Equal(Errno.ENOLINK, exception.Errno);
        Assert.StartsWith("update a link to program allow", exception.Message, StringComparison.Ordinal);
    }

    [PrivilegedFact]
    public async Task A_pinned_link_outlives_its_descriptor()
    {
        using PrivateBpffs bpffs = new();
        using ChildCgroup cgroup = new();
        using BpfProgram program = Instructions.Connect4("allow", Allow);
        using (BpfLink link = Attach(program, cgroup))
            link.Pin(bpffs.Pin("l"));

        Assert.Equal([program.Info.Id], Query(cgroup, out _));
        using (BpfLink opened = BpfLink.OpenPinned(bpffs.Pin("l")))
            Assert.Equal(cgroup.Directory.Id, opened.Info.CgroupId);
        Assert.True(BpfLink.TryOpenPinned(bpffs.Pin("l"), out BpfLink? tried));
        tried.Dispose();

        File.Delete(bpffs.Pin("l"));
        Assert.False(BpfLink.TryOpenPinned(bpffs.Pin("l"), out _));
        // The kernel takes the program off its hook a moment after the last reference is gone.
        await Eventually.True(() => Query(cgroup, out _).Count == 0, "the hook is empty");
    }

    [PrivilegedFact]
    public void A_program_of_another_hook_is_refused_with_the_names()
    {
        using ChildCgroup cgroup = new();
        using BpfProgram program = Instructions.Connect4("wrong", Allow);

        LinuxException exception = Assert.Throws<LinuxException>(
            () => BpfLink.AttachCgroup(program, cgroup.Directory, BpfAttachType.CgroupInet6Connect));
        Assert.Equal(Errno.EINVAL, exception.Errno);
        Assert.StartsWith(
            $"attach program wrong to cgroup {cgroup.Path} (CgroupInet6Connect)", exception.Message, StringComparison.Ordinal);
    }

    private static BpfLink Attach(BpfProgram program, ChildCgroup cgroup)
        => BpfLink.AttachCgroup(program, cgroup.Directory, BpfAttachType.CgroupInet4Connect);

    private static IReadOnlyList<uint> Query(ChildCgroup cgroup, out uint attachFlags)
        => BpfCgroup.QueryPrograms(cgroup.Directory, BpfAttachType.CgroupInet4Connect, effective: false, out attachFlags);

    private static Task<ProcessResult> ConnectFromInside(ChildCgroup cgroup, TcpListener listener)
    {
        string port = ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        const string Script = "echo $$ > \"$1/cgroup.procs\"; exec 3<>\"/dev/tcp/127.0.0.1/$2\"";
        return new ProcessRunner().RunAsync("bash", ["-c", Script, "bash", cgroup.Path, port], Eventually.Timeout());
    }
}
