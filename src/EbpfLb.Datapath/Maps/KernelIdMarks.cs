// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Datapath.Maps;

/// <summary>Two fields of agent_v1, written with plain stores.</summary>
internal sealed class KernelIdMarks(BpfMappedArray agent) : IIdMarks
{
    public uint LastServiceId
    {
        get => agent.At<AgentValue>(0).LastServiceId;
        set => agent.At<AgentValue>(0).LastServiceId = value;
    }

    public uint LastBackendId
    {
        get => agent.At<AgentValue>(0).LastBackendId;
        set => agent.At<AgentValue>(0).LastBackendId = value;
    }
}
