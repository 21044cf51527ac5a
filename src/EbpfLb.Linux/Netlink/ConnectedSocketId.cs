// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Net.Sockets;

namespace EbpfLb.Linux.Netlink;

/// <summary>One UDP or TCP socket of a network namespace. Of an IPv6 socket both addresses have 16 bytes, mapped ones too.</summary>
/// <param name="Device">The index of the device it is bound to, or 0.</param>
/// <param name="Cookie">The kernel's id of it, never reused until the next boot.</param>
public readonly record struct ConnectedSocketId(ProtocolType Protocol, IPEndPoint Local, IPEndPoint Remote, uint Device, ulong Cookie);
