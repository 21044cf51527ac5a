// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Live.Tests.Support;

/// <summary>The address that is dialled, and on what kind of socket.</summary>
internal enum DialFamily
{
    V4,
    V6,

    /// <summary>The IPv4 address, mapped, on an AF_INET6 socket.</summary>
    Mapped,
}
