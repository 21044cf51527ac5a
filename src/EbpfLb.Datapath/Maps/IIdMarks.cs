// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Maps;

/// <summary>The ids given last. They outlive the agent, so that an id freed before a restart rests after it too.</summary>
public interface IIdMarks
{
    uint LastServiceId { get; set; }

    uint LastBackendId { get; set; }
}
