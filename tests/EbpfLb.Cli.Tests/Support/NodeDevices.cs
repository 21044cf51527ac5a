// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Netlink;
using EbpfLb.Linux.Processes;

namespace EbpfLb.Cli.Tests.Support;

/// <summary>
/// A network namespace of the test's own with a veth pair, and links of programs that pass everything, pinned where an agent pins its own.
/// </summary>
internal sealed class NodeDevices : IDisposable
{
    public const string Uplink = "up\x1b[31m0";
    public const string Pod = "pod0";

    private readonly TestNode _node;
    private readonly NetworkNamespace _namespace = NetworkNamespace.Create();

    public NodeDevices(TestNode node)
    {
        _node = node;
        Ip("link", "add", Uplink, "type", "veth", "peer", "name", Pod);
        UplinkIndex = IndexOf(Uplink);
        PodIndex = IndexOf(Pod);
    }

    public ulong Cookie => _namespace.Cookie;

    public int UplinkIndex { get; }

    public int PodIndex { get; }

    public Shell.Result Run(params string[] args) => _namespace.Run(() => Shell.Run([.. args, "--bpffs", _node.BpfFs]));

    public string LinkPath(string hook, int index) => Path.Combine(_node.PinPath, "links", $"{hook}_{index}");

    public uint PinXdp(int index, XdpMode mode)
    {
        // Return XDP_PASS.
        using var program = BpfProgram.LoadRaw("pass", BpfProgramType.Xdp, BpfAttachType.CgroupInetIngress, [0x0000_0002_0000_00b7, 0x95]);
        using var link = _namespace.Run(() => BpfLink.AttachXdp(program, index, mode));
        link.Pin(LinkPath("xdp", index));
        return program.Info.Id;
    }

    public uint PinTcx(string hook, int index)
    {
        // Return TCX_PASS.
        using var program = BpfProgram.LoadRaw(
            "pass", BpfProgramType.SchedCls, BpfAttachType.CgroupInetIngress, [0x0000_0000_0000_00b7, 0x95]);
        using var link = _namespace.Run(() => BpfLink.AttachTcx(program, index, egress: hook == "tcx_out"));
        link.Pin(LinkPath(hook, index));
        return program.Info.Id;
    }

    public void Detach(string hook, int index)
    {
        using var link = BpfLink.OpenPinned(LinkPath(hook, index));
        link.Detach();
    }

    public void Ip(params string[] words)
    {
        var result = _namespace.Run(() => new ProcessRunner().RunAsync("ip", words, CancellationToken.None).GetAwaiter().GetResult());
        Assert.True(result.ExitCode == 0, result.StdErr);
    }

    public void Dispose() => _namespace.Dispose();

    private int IndexOf(string name) => _namespace.Run(() => NetworkDump.Links().Single(link => link.Name == name).Index);
}
