// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Tests.Support;

namespace EbpfLb.Linux.Tests.Bpf;

public sealed class DeviceLinkTests
{
    private const int Left = 101;
    private const int XdpPass = 2;
    private const int TcNext = -1;

    [PrivilegedTheory]
    [InlineData(XdpMode.Generic)]
    [InlineData(XdpMode.Native)]
    public void An_XDP_link_is_attached_updated_and_detached(XdpMode mode)
    {
        using PrivateNetwork network = WithVeth();
        using BpfProgram first = Xdp("first");
        using BpfProgram second = Xdp("second");
        using BpfLink link = network.Run(() => BpfLink.AttachXdp(first, Left, mode));

        Assert.Equal(new(link.Info.Id, BpfLinkType.Xdp, first.Info.Id, 0, BpfAttachType.Xdp, Left), link.Info);
        Assert.Equal((first.Info.Id, mode), XdpOf(network));

        link.Update(second);
        Assert.Equal(second.Info.Id, link.Info.ProgramId);
        Assert.Equal((second.Info.Id, mode), XdpOf(network));

        link.Detach();
        Assert.Equal(0, link.Info.InterfaceIndex);
        Assert.Equal((0u, XdpMode.None), XdpOf(network));
        Assert.Equal(Errno.ENOLINK, Assert.Throws<LinuxException>(() => link.Update(first)).Errno);
    }

    [PrivilegedFact]
    public void A_device_takes_one_XDP_program_and_names_the_one_that_is_there()
    {
        using PrivateNetwork network = WithVeth();
        using BpfProgram foreign = Xdp("foreign");
        using BpfProgram own = Xdp("own");
        using BpfLink link = network.Run(() => BpfLink.AttachXdp(foreign, Left, XdpMode.Generic));

        Assert.Equal(Errno.EBUSY, AttachXdp(network, own, XdpMode.Generic).Errno);
        Assert.Equal(Errno.EEXIST, AttachXdp(network, own, XdpMode.Native).Errno);
        Assert.Equal((foreign.Info.Id, XdpMode.Generic), XdpOf(network));
    }

    [PrivilegedFact]
    public void Attaching_to_no_device_says_where()
    {
        using PrivateNetwork network = new();
        using BpfProgram xdp = Xdp("xdp");
        using BpfProgram tc = Tc("tc");

        LinuxException exception = AttachXdp(network, xdp, XdpMode.Native);
        Assert.Equal(Errno.EINVAL, exception.Errno);
        Assert.StartsWith("attach program xdp to device 101 (Xdp)", exception.Message, StringComparison.Ordinal);
        exception = Assert.Throws<LinuxException>(() => network.Run(() => BpfLink.AttachTcx(tc, Left, egress: true)));
        Assert.Equal(Errno.ENODEV, exception.Errno);
        Assert.StartsWith("attach program tc to device 101 (TcxEgress)", exception.Message, StringComparison.Ordinal);
        Assert.Equal(Errno.ENODEV, Assert.Throws<LinuxException>(() => Query(network, egress: false)).Errno);
    }

    [PrivilegedFact]
    public void A_mode_that_is_none_is_refused()
    {
        using BpfProgram program = Xdp("modes");

        Assert.Throws<ArgumentOutOfRangeException>(() => BpfLink.AttachXdp(program, Left, XdpMode.None));
        Assert.Throws<ArgumentOutOfRangeException>(() => BpfLink.AttachXdp(program, Left, XdpMode.Generic | XdpMode.Native));
    }

    [PrivilegedTheory]
    [InlineData(false, BpfAttachType.TcxIngress)]
    [InlineData(true, BpfAttachType.TcxEgress)]
    public void A_tcx_link_is_attached_updated_and_detached(bool egress, BpfAttachType type)
    {
        using PrivateNetwork network = WithVeth();
        using BpfProgram first = Tc("first");
        using BpfProgram second = Tc("second");
        Assert.Empty(Query(network, egress));
        using BpfLink link = network.Run(() => BpfLink.AttachTcx(first, Left, egress));

        Assert.Equal(new(link.Info.Id, BpfLinkType.Tcx, first.Info.Id, 0, type, Left), link.Info);
        Assert.Equal([first.Info.Id], Query(network, egress));
        Assert.Empty(Query(network, !egress));

        link.Update(second);
        Assert.Equal([second.Info.Id], Query(network, egress));

        link.Detach();
        Assert.Equal(0, link.Info.InterfaceIndex);
        Assert.Empty(Query(network, egress));
    }

    [PrivilegedFact]
    public void Programs_at_a_tcx_hook_stand_beside_each_other_in_order()
    {
        using PrivateNetwork network = WithVeth();
        using BpfProgram foreign = Tc("foreign");
        using BpfProgram own = Tc("own");
        using BpfLink one = network.Run(() => BpfLink.AttachTcx(foreign, Left, egress: false));
        using (network.Run(() => BpfLink.AttachTcx(own, Left, egress: false)))
            Assert.Equal([foreign.Info.Id, own.Info.Id], Query(network, egress: false));
        Assert.Equal([foreign.Info.Id], Query(network, egress: false));
    }

    [PrivilegedFact]
    public async Task Links_of_a_device_that_is_gone_have_no_device()
    {
        using PrivateNetwork network = WithVeth();
        using BpfProgram xdp = Xdp("xdp");
        using BpfProgram tc = Tc("tc");
        using BpfLink xdpLink = network.Run(() => BpfLink.AttachXdp(xdp, Left, XdpMode.Generic));
        using BpfLink tcLink = network.Run(() => BpfLink.AttachTcx(tc, Left, egress: false));

        network.Ip("link del left");

        await Eventually.True(() => xdpLink.Info.InterfaceIndex == 0 && tcLink.Info.InterfaceIndex == 0, "both links are without a device");
        Assert.Equal(BpfLinkType.Xdp, xdpLink.Info.Type);
        Assert.Equal(BpfLinkType.Tcx, tcLink.Info.Type);
    }

    [PrivilegedFact]
    public void A_pinned_link_is_opened_with_its_device_from_any_namespace()
    {
        using PrivateBpffs bpffs = new();
        using PrivateNetwork network = WithVeth();
        using BpfProgram tc = Tc("tc");
        using (BpfLink link = network.Run(() => BpfLink.AttachTcx(tc, Left, egress: true)))
            link.Pin(bpffs.Pin("link"));

        using BpfLink opened = BpfLink.OpenPinned(bpffs.Pin("link"));
        Assert.Equal((BpfLinkType.Tcx, BpfAttachType.TcxEgress, Left), (opened.Info.Type, opened.Info.AttachType, opened.Info.InterfaceIndex));
        Assert.Equal([tc.Info.Id], Query(network, egress: true));
    }

    private static BpfProgram Xdp(string name) => Instructions.Xdp(name, Instructions.Move(0, XdpPass), Instructions.Exit);

    private static BpfProgram Tc(string name)
        => BpfProgram.LoadRaw(name, BpfProgramType.SchedCls, default, [Instructions.Move(0, TcNext), Instructions.Exit]);

    private static LinuxException AttachXdp(PrivateNetwork network, BpfProgram program, XdpMode mode)
        => Assert.Throws<LinuxException>(() => network.Run(() => BpfLink.AttachXdp(program, Left, mode)));

    private static IReadOnlyList<uint> Query(PrivateNetwork network, bool egress)
        => network.Run(() => BpfTcx.QueryPrograms(Left, egress));

    private static (uint Id, XdpMode Mode) XdpOf(PrivateNetwork network)
    {
        var link = network.Link("left");
        return (link.XdpProgramId, link.XdpMode);
    }

    private static PrivateNetwork WithVeth()
    {
        PrivateNetwork network = new();
        network.Ip("link add left index 101 type veth peer name right");
        network.Ip("link set left up");
        network.Ip("link set right up");
        return network;
    }
}
