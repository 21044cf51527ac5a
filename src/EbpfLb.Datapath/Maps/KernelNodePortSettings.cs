// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.Datapath.Contract;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Datapath.Maps;

internal sealed class KernelNodePortSettings(BpfMappedArray settings) : INodePortSettings
{
    public NodePortRange Range
    {
        get
        {
            var value = settings.Get<SettingsValue>(0);
            return new NodePortRange(value.NodePortFirst, value.NodePortLast);
        }

        set
        {
            // The two lie side by side at a multiple of four, so that one store writes both.
            ReadOnlySpan<ushort> ends = [value.First, value.Last];
            var shared = MemoryMarshal.CreateSpan(ref settings.At<SettingsValue>(0).NodePortFirst, ends.Length);
            Volatile.Write(ref MemoryMarshal.Cast<ushort, uint>(shared)[0], MemoryMarshal.Read<uint>(MemoryMarshal.AsBytes(ends)));
        }
    }
}
