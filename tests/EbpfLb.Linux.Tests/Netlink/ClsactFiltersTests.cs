// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Netlink;
using EbpfLb.Linux.Tests.Support;

namespace EbpfLb.Linux.Tests.Netlink;

public sealed class ClsactFiltersTests
{
    private const int Left = 101;
    private const ushort Priority = 77;
    private const int TcNext = -1;

    [PrivilegedTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_filter_is_made_replaced_and_removed(bool egress)
    {
        using PrivateNetwork network = WithVeth();
        using BpfProgram first = Tc("first");
        using BpfProgram second = Tc("second");
        Assert.Empty(List(network, egress));
        Assert.True(network.Run(() => ClsactFilters.TryAddQdisc(Left)));
        Assert.False(network.Run(() => ClsactFilters.TryAddQdisc(Left)));
        Assert.Equal("clsact", network.Run(() => ClsactFilters.QdiscKind(Left)));

        Put(network, first, egress, mayReplace: false);
        Assert.Equal([new ClsactFilter(Priority, 1, "bpf", "ours", first.Info.Id)], List(network, egress));
        Assert.Empty(List(network, !egress));

        Assert.Equal(Errno.EEXIST, Assert.Throws<LinuxException>(() => Put(network, second, egress, mayReplace: false)).Errno);
        Put(network, second, egress, mayReplace: true);
        Assert.Equal([new ClsactFilter(Priority, 1, "bpf", "ours", second.Info.Id)], List(network, egress));

        Assert.True(network.Run(() => ClsactFilters.Remove(Left, egress, Priority, 1)));
        Assert.False(network.Run(() => ClsactFilters.Remove(Left, egress, Priority, 1)));
        Assert.Empty(List(network, egress));
        Assert.True(network.Run(() => ClsactFilters.RemoveQdisc(Left)));
        Assert.False(network.Run(() => ClsactFilters.RemoveQdisc(Left)));
        Assert.Equal("", network.Run(() => ClsactFilters.QdiscKind(Left)));
    }

    [PrivilegedFact]
    public void Filters_of_others_are_listed_in_their_order()
    {
        using PrivateNetwork network = WithVeth();
        using BpfProgram program = Tc("ours");
        network.Run(() => ClsactFilters.TryAddQdisc(Left));
        using BpfProgram other = Tc("theirs");
        network.Run(() => ClsactFilters.Put(other, Left, egress: false, 90, 1, "last", mayReplace: false));
        network.Run(() => ClsactFilters.Put(other, Left, egress: false, 5, 7, "first", mayReplace: false));
        Put(network, program, egress: false, mayReplace: false);

        Assert.Equal(
            [(5, 7u, "first"), (Priority, 1u, "ours"), (90, 1u, "last")],
            List(network, egress: false).Select(filter => ((int)filter.Priority, filter.Handle, filter.Name)));
        Assert.True(network.Run(() => ClsactFilters.Remove(Left, egress: false, Priority, 1)));
        Assert.Equal(["first", "last"], List(network, egress: false).Select(filter => filter.Name));
    }

    [PrivilegedFact]
    public void Without_clsact_or_device_nothing_is_there_and_nothing_can_be_put()
    {
        using PrivateNetwork network = WithVeth();
        using BpfProgram program = Tc("ours");
        LinuxException exception = Assert.Throws<LinuxException>(() => Put(network, program, egress: true, mayReplace: true));
        Assert.StartsWith("attach program ours to device 101 (egress of clsact): EINVAL", exception.Message, StringComparison.Ordinal);
        network.Tc("qdisc add dev left ingress");
        Assert.False(network.Run(() => ClsactFilters.TryAddQdisc(Left)));
        Assert.Equal("ingress", network.Run(() => ClsactFilters.QdiscKind(Left)));

        Assert.Empty(network.Run(() => ClsactFilters.List(999, egress: true)));
        Assert.False(network.Run(() => ClsactFilters.Remove(999, egress: true, Priority, 1)));
        Assert.False(network.Run(() => ClsactFilters.RemoveQdisc(999)));
        Assert.Equal(Errno.ENODEV, Assert.Throws<LinuxException>(() => network.Run(() => ClsactFilters.TryAddQdisc(999))).Errno);
    }

    private static PrivateNetwork WithVeth()
    {
        PrivateNetwork network = new();
        network.Ip($"link add left index {Left} type veth peer name right");
        return network;
    }

    private static BpfProgram Tc(string name) =>
        BpfProgram.LoadRaw(name, BpfProgramType.SchedCls, default, [Instructions.Move(0, TcNext), Instructions.Exit]);

    private static IReadOnlyList<ClsactFilter> List(PrivateNetwork network, bool egress) =>
        network.Run(() => ClsactFilters.List(Left, egress));

    private static void Put(PrivateNetwork network, BpfProgram program, bool egress, bool mayReplace) =>
        network.Run(() => ClsactFilters.Put(program, Left, egress, Priority, 1, "ours", mayReplace));
}
