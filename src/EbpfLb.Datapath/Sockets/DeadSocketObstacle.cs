// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Sockets;

/// <summary>Why a dead socket could not be ended.</summary>
public enum DeadSocketObstacle
{
    /// <summary>Its network namespace is none that this process sees.</summary>
    NamespaceNotSeen,

    /// <summary>This process may not enter it.</summary>
    NamespaceNotEntered,

    /// <summary>CAP_NET_ADMIN is missing there.</summary>
    NotPermitted,

    /// <summary>The kernel cannot.</summary>
    NotSupported,

    /// <summary>The kernel does not find it by its ends.</summary>
    NotFound,
}
