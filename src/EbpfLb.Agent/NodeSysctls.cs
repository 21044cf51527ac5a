// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Conntrack;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Agent;

/// <summary>What the packet path needs of the kernel's settings. /proc/sys/net shows those of the reader's network namespace.</summary>
/// <param name="root">/proc/sys, or a copy of it.</param>
internal sealed class NodeSysctls(string root, ILogger logger)
{
    private const string ReservedPortsName = "net.ipv4.ip_local_reserved_ports";
    private const string Off = "0";

    /// <summary>For when a device is attached: before that nothing is forwarded, and nothing of the node need change.</summary>
    public void Prepare(FlowSettings flows)
    {
        Reserve(flows);
        foreach (string name in new[] { "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding" })
        {
            // Absent: the node has no such family.
            if (TryRead(name) == Off)
                logger.ForwardingOff(name);
        }
    }

    private void Reserve(FlowSettings flows)
    {
        try
        {
            string path = PathOf(ReservedPortsName);
            if (ReservedPorts.Add(File.ReadAllText(path).Trim(), flows.SnatPortFirst, flows.SnatPortLast) is { } text)
                File.WriteAllText(path, text);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException)
        {
            logger.PortsNotReserved(ReservedPortsName, flows.SnatPortFirst, flows.SnatPortLast, exception.Message);
        }
    }

    private string? TryRead(string name)
    {
        try
        {
            return File.ReadAllText(PathOf(name)).Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private string PathOf(string name) => Path.Combine(root, name.Replace('.', '/'));
}
