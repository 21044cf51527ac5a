// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using System.Text;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Linux.Netlink;

/// <summary>
/// Programs as filters of classic tc at a device's clsact qdisc: what there is before tcx (Linux 6.6). A filter stays until somebody removes
/// it or the device goes. All of the calling thread's network namespace.
/// </summary>
public static class ClsactFilters
{
    private const ushort RTM_NEWQDISC = 36;
    private const ushort RTM_DELQDISC = 37;
    private const ushort RTM_GETQDISC = 38;
    private const ushort RTM_NEWTFILTER = 44;
    private const ushort RTM_DELTFILTER = 45;
    private const ushort RTM_GETTFILTER = 46;

    private const int TCA_KIND = 1;
    private const int TCA_OPTIONS = 2;
    private const int TCA_BPF_FD = 6;
    private const int TCA_BPF_NAME = 7;
    private const int TCA_BPF_FLAGS = 8;
    private const int TCA_BPF_ID = 11;
    private const uint TCA_BPF_FLAG_ACT_DIRECT = 1;

    private const uint TC_H_CLSACT = 0xfffffff1;
    private const uint ClsactHandle = 0xffff0000;
    private const uint IngressParent = 0xfffffff2;
    private const uint EgressParent = 0xfffffff3;

    // ETH_P_ALL, in network order.
    private const uint AllProtocols = 0x0300;

    // struct tcmsg: family, pads, ifindex, handle, parent, info.
    private const int HeaderSize = 20;

    /// <summary>False when the device has one, or another qdisc in its place.</summary>
    public static bool TryAddQdisc(int ifindex)
    {
        Errno errno = Ask(
            RTM_NEWQDISC, Message(ifindex, ClsactHandle, TC_H_CLSACT, 0, "clsact", []), out string? detail,
            NetlinkMessage.NLM_F_CREATE | NetlinkMessage.NLM_F_EXCL);
        return errno switch
        {
            Errno.None => true,
            Errno.EEXIST => false,
            _ => throw new LinuxException($"add qdisc clsact to device {ifindex}", errno, detail),
        };
    }

    /// <summary>Of what is in clsact's place: "clsact", "ingress", or empty where there is neither.</summary>
    public static string QdiscKind(int ifindex)
    {
        string kind = "";
        using NetlinkSocket socket = NetlinkSocket.Open(NetlinkSocket.NETLINK_ROUTE);
        // On older kernels the answer is an echo, and has to be asked for as one.
        Errno errno = socket.Ask(
            RTM_GETQDISC, Message(ifindex, 0, TC_H_CLSACT, 0, null, []), out string? detail, (in message) =>
            {
                NetlinkAttributes attributes = new(message.PayloadFrom(HeaderSize));
                while (attributes.Next())
                {
                    if (attributes.Type == TCA_KIND)
                        kind = attributes.ReadText();
                }
            },
            NetlinkMessage.NLM_F_ECHO);
        if (errno is not (Errno.None or Errno.ENOENT or Errno.ENODEV or Errno.EINVAL))
            throw new LinuxException($"look up the qdisc of device {ifindex}", errno, detail);
        return kind;
    }

    /// <summary>With all of its filters. False when there is no such qdisc or device.</summary>
    public static bool RemoveQdisc(int ifindex)
    {
        Errno errno = Ask(RTM_DELQDISC, Message(ifindex, ClsactHandle, TC_H_CLSACT, 0, "clsact", []), out string? detail, 0);
        return errno switch
        {
            Errno.None => true,
            Errno.ENOENT or Errno.ENODEV or Errno.EINVAL => false,
            _ => throw new LinuxException($"remove qdisc clsact of device {ifindex}", errno, detail),
        };
    }

    /// <summary>Of one direction, in the order they run; none where there is no clsact, or no device.</summary>
    public static IReadOnlyList<ClsactFilter> List(int ifindex, bool egress)
    {
        List<ClsactFilter> filters = [];
        using NetlinkSocket socket = NetlinkSocket.Open(NetlinkSocket.NETLINK_ROUTE);
        // One that changes while it is read is read by its owner again: each pass looks anew.
        socket.Dump(
            $"list the filters of device {ifindex}", RTM_GETTFILTER, Message(ifindex, 0, Parent(egress), 0, null, []), (in message) =>
            {
                if (message.Type == RTM_NEWTFILTER && Parse(message.Payload) is { } filter)
                    filters.Add(filter);
            });
        return filters;
    }

    /// <summary>Puts a program in place, or in the place of the one whose priority and handle these are: in one step for the packets.</summary>
    /// <param name="mayReplace">False: EEXIST when there is one.</param>
    /// <exception cref="LinuxException">EINVAL when there is no clsact, or a filter of another kind has the priority.</exception>
    public static void Put(BpfProgram program, int ifindex, bool egress, ushort priority, uint handle, string name, bool mayReplace)
    {
        using Lease lease = new(program.Handle);
        byte[] bytes = Encoding.UTF8.GetBytes(name + '\0');
        byte[] options = new byte[2 * (NetlinkAttributes.HeaderSize + sizeof(uint)) + Size(bytes.Length)];
        Span<byte> rest = options;
        Append(ref rest, TCA_BPF_FD, BitConverter.GetBytes(lease.Descriptor));
        Append(ref rest, TCA_BPF_FLAGS, BitConverter.GetBytes(TCA_BPF_FLAG_ACT_DIRECT));
        Append(ref rest, TCA_BPF_NAME, bytes);
        Errno errno = Ask(
            RTM_NEWTFILTER, Message(ifindex, handle, Parent(egress), priority, "bpf", options), out string? detail,
            NetlinkMessage.NLM_F_CREATE | (mayReplace ? 0 : NetlinkMessage.NLM_F_EXCL));
        if (errno != Errno.None)
            throw new LinuxException($"attach program {program.Info.Name} to device {ifindex} ({DirectionOf(egress)} of clsact)", errno, detail);
    }

    /// <summary>False when there is no such filter, qdisc or device.</summary>
    public static bool Remove(int ifindex, bool egress, ushort priority, uint handle)
    {
        Errno errno = Ask(RTM_DELTFILTER, Message(ifindex, handle, Parent(egress), priority, "bpf", []), out string? detail, 0);
        return errno switch
        {
            Errno.None => true,
            Errno.ENOENT or Errno.ENODEV or Errno.EINVAL => false,
            _ => throw new LinuxException($"remove a filter of device {ifindex} ({DirectionOf(egress)} of clsact)", errno, detail),
        };
    }

    internal static ClsactFilter? Parse(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < HeaderSize)
            NetlinkMessage.ThrowMalformed($"{payload.Length} bytes where {HeaderSize} come first");
        uint handle = BinaryPrimitives.ReadUInt32LittleEndian(payload[8..]);
        ushort priority = (ushort)(BinaryPrimitives.ReadUInt32LittleEndian(payload[16..]) >> 16);
        string kind = "";
        string name = "";
        uint program = 0;
        NetlinkAttributes attributes = new(payload[HeaderSize..]);
        while (attributes.Next())
        {
            if (attributes.Type == TCA_KIND)
                kind = attributes.ReadText();
            else if (attributes.Type == TCA_OPTIONS && kind == "bpf")
                (name, program) = ParseOptions(attributes.Value);
        }

        // Each priority announces itself before its filters, without a handle.
        return handle == 0 ? null : new(priority, handle, kind, name, program);
    }

    private static (string Name, uint Program) ParseOptions(ReadOnlySpan<byte> options)
    {
        string name = "";
        uint program = 0;
        NetlinkAttributes attributes = new(options);
        while (attributes.Next())
        {
            if (attributes.Type == TCA_BPF_NAME)
                name = attributes.ReadText();
            else if (attributes.Type == TCA_BPF_ID)
                program = attributes.ReadUInt32();
        }

        return (name, program);
    }

    private static uint Parent(bool egress) => egress ? EgressParent : IngressParent;

    private static string DirectionOf(bool egress) => egress ? "egress" : "ingress";

    private static Errno Ask(ushort type, byte[] request, out string? detail, int flags)
    {
        using NetlinkSocket socket = NetlinkSocket.Open(NetlinkSocket.NETLINK_ROUTE);
        return socket.Ask(type, request, out detail, static (in _) => { }, flags);
    }

    private static byte[] Message(int ifindex, uint handle, uint parent, ushort priority, string? kind, ReadOnlySpan<byte> options)
    {
        byte[] kindBytes = kind is null ? [] : Encoding.ASCII.GetBytes(kind + '\0');
        byte[] message = new byte[NetlinkMessage.HeaderSize + HeaderSize
            + (kind is null ? 0 : Size(kindBytes.Length)) + (options.IsEmpty ? 0 : Size(options.Length))];
        Span<byte> header = message.AsSpan(NetlinkMessage.HeaderSize);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], ifindex);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], handle);
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], parent);
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], priority == 0 ? 0 : ((uint)priority << 16) | AllProtocols);
        Span<byte> rest = header[HeaderSize..];
        if (kind is not null)
            Append(ref rest, TCA_KIND, kindBytes);
        if (!options.IsEmpty)
            Append(ref rest, TCA_OPTIONS, options);
        return message;
    }

    private static int Size(int length) => NetlinkMessage.Align(NetlinkAttributes.HeaderSize + length);

    private static void Append(ref Span<byte> rest, int type, ReadOnlySpan<byte> value)
    {
        NetlinkMessage.WriteAttribute(rest, type, value);
        rest = rest[Size(value.Length)..];
    }
}
