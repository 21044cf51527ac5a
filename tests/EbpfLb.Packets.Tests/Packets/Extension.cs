// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Packets.Tests.Packets;

/// <summary>An IPv6 extension header: its type, and everything after the first two bytes.</summary>
internal sealed record Extension(byte Type, byte[] Rest)
{
    public const byte HopByHopType = 0;
    public const byte RoutingType = 43;
    public const byte FragmentType = 44;
    public const byte EspType = 50;
    public const byte AuthenticationType = 51;
    public const byte DestinationType = 60;

    /// <summary>With padding options.</summary>
    public static Extension HopByHop { get; } = new(HopByHopType, [1, 4, 0, 0, 0, 0]);

    public static Extension Destination { get; } = new(DestinationType, [1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

    /// <summary>Type 2 with no segment left: the packet is where it wants to be.</summary>
    public static Extension Routing { get; } = new(RoutingType, [2, 0, .. new byte[20]]);

    /// <summary>24 bytes: an integrity value of 12.</summary>
    public static Extension Authentication { get; } = new(AuthenticationType, [0, 0, 0, 0, 1, 0, 0, 0, 0, 1, .. new byte[12]]);

    public static Extension Fragment(int offset, bool more, uint id) => new(
        FragmentType, [(byte)(offset >> 8), (byte)((offset & 0xf8) | (more ? 1 : 0)), (byte)(id >> 24), (byte)(id >> 16), (byte)(id >> 8),
            (byte)id]);

    public byte[] ToBytes(byte next) => [next, Length, .. Rest];

    private byte Length => Type switch
    {
        FragmentType => 0,
        AuthenticationType => (byte)(((Rest.Length + 2) / 4) - 2),
        _ => (byte)(((Rest.Length + 2) / 8) - 1),
    };
}
