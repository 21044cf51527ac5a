// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Contract;

/// <summary>Names the struct of <c>bpf/types.h</c> whose memory a mirror describes. The layout check compares the two.</summary>
[AttributeUsage(AttributeTargets.Struct)]
public sealed class CTypeAttribute(string name) : Attribute
{
    public string Name { get; } = name;
}
