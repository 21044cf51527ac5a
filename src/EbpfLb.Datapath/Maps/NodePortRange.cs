// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Maps;

/// <summary>The ports in which programs look for a frontend of the unspecified address. First above last: there is none.</summary>
public readonly record struct NodePortRange(ushort First, ushort Last)
{
    public static NodePortRange None { get; } = new(1, 0);

    public bool IsEmpty => First > Last;

    public bool Contains(ushort port) => port >= First && port <= Last;

    public NodePortRange With(ushort port) => IsEmpty ? new(port, port) : new(Math.Min(First, port), Math.Max(Last, port));
}

/// <summary>
/// Two fields of settings_v1. Programs see the old range or the new one: both ends are one store. The other fields are somebody else's,
/// who must not write over these.
/// </summary>
public interface INodePortSettings
{
    NodePortRange Range { get; set; }
}
