// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Sockets;
using EbpfLb.Datapath.Status;

namespace EbpfLb.Agent;

/// <summary>What an operator is told of sockets that could not be ended.</summary>
internal static class DeadSocketsProblem
{
    public const string Subject = "connected sockets";

    public static Problem? Of(DeadSocketsResult result)
    {
        if (result.Left.Count == 0)
            return null;

        int sockets = result.Left.Sum(part => part.Sockets);
        int namespaces = result.Left.Sum(part => part.Namespaces);
        return new Problem(
            Subject,
            $"{sockets} in {namespaces} network namespace{(namespaces == 1 ? "" : "s")} still send to backends that are gone: "
            + string.Join(", ", result.Left.Select(Describe)));
    }

    private static string Describe(DeadSocketsResult.Part part) => part.Sockets + part.Obstacle switch
    {
        DeadSocketObstacle.NamespaceNotSeen =>
            " in namespaces that the agent does not see (give it hostPID and CAP_SYS_PTRACE, or mount the host's /run/netns)",
        DeadSocketObstacle.NamespaceNotEntered => " in namespaces that the agent may not enter (give it CAP_SYS_ADMIN)",
        DeadSocketObstacle.NotPermitted => " that the agent may not end (give it CAP_NET_ADMIN in their namespaces)",
        DeadSocketObstacle.NotSupported => " that the kernel cannot end (it was built without CONFIG_INET_DIAG_DESTROY)",
        _ => " that the kernel does not find (are its modules tcp_diag and udp_diag there?)",
    };
}
