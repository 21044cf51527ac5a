// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Maps;

internal sealed class InMemoryIdMarks : IIdMarks
{
    public uint LastServiceId { get; set; }

    public uint LastBackendId { get; set; }
}
