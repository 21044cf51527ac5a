// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Devices;

/// <summary>What a change of the network asks for.</summary>
[Flags]
public enum PictureEffects
{
    None = 0,

    /// <summary>A route that a flow remembers may be another now.</summary>
    Routes = 1,

    /// <summary>What is attached, or what the maps say about devices and addresses, may have to change.</summary>
    Devices = 2,

    /// <summary>The default routes have to be read again: no event says what is left of them.</summary>
    DefaultRoutes = 4,

    /// <summary>Everything has to be read again.</summary>
    Lost = 8,
}
