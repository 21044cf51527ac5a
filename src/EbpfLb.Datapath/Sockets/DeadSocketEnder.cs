// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Net.Sockets;
using EbpfLb.Datapath.Contract;
using EbpfLb.Linux;
using EbpfLb.Linux.Netlink;
using EbpfLb.Linux.Processes;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Sockets;

/// <summary>
/// Ends sockets from inside their network namespaces. A socket is hit by its cookie, so what has changed since it was listed, a namespace
/// included, hits nobody else. No namespace is kept open: that would keep it, devices and all, after its pod.
/// </summary>
public static class DeadSocketEnder
{
    private const byte AF_INET6 = 10;

    /// <returns>What stood in the way, by cookie; sockets that were ended are not in it.</returns>
    public static IReadOnlyDictionary<ulong, DeadSocketObstacle> End(IReadOnlyCollection<DeadSocketValue> sockets)
    {
        ArgumentNullException.ThrowIfNull(sockets);
        var obstacles = new Dictionary<ulong, DeadSocketObstacle>();
        uint own = NetworkNamespaceInodes.Current();
        var others = sockets.Where(socket => socket.Netns != own).GroupBy(socket => socket.Netns).ToArray();
        Destroy(sockets.Where(socket => socket.Netns == own), obstacles);
        if (others.Length == 0)
            return obstacles;

        bool mayEnter = Capabilities.HasEffective(Capabilities.CAP_SYS_ADMIN);
        var paths = mayEnter ? NetworkNamespaceInodes.Find(others.Select(group => group.Key).ToHashSet()) : new Dictionary<uint, string>();
        foreach (var group in others)
        {
            if (!mayEnter)
                Note(group, DeadSocketObstacle.NamespaceNotEntered, obstacles);
            else if (!paths.TryGetValue(group.Key, out string? path))
                Note(group, DeadSocketObstacle.NamespaceNotSeen, obstacles);
            else
                EndInside(path, group, obstacles);
        }

        return obstacles;
    }

    private static void EndInside(
        string path, IEnumerable<DeadSocketValue> sockets, Dictionary<ulong, DeadSocketObstacle> obstacles)
    {
        try
        {
            using var inside = NetworkNamespace.Open(path);
            inside.Run(() => Destroy(sockets, obstacles));
        }
        catch (LinuxException exception) when (exception.Errno is Errno.EPERM or Errno.EINVAL)
        {
            // EINVAL: in place of a namespace that went there is now something else.
            Note(
                sockets,
                exception.Errno == Errno.EPERM ? DeadSocketObstacle.NamespaceNotEntered : DeadSocketObstacle.NamespaceNotSeen,
                obstacles);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Note(sockets, DeadSocketObstacle.NamespaceNotSeen, obstacles);
        }
    }

    // In the calling thread's namespace.
    private static void Destroy(IEnumerable<DeadSocketValue> sockets, Dictionary<ulong, DeadSocketObstacle> obstacles)
    {
        SocketDiagnostics? diagnostics = null;
        try
        {
            foreach (var socket in sockets)
            {
                diagnostics ??= new SocketDiagnostics();
                if (ObstacleOf(diagnostics.Destroy(Identify(socket))) is { } obstacle)
                    obstacles[socket.Cookie] = obstacle;
            }
        }
        finally
        {
            diagnostics?.Dispose();
        }
    }

    private static DeadSocketObstacle? ObstacleOf(Errno errno) => errno switch
    {
        Errno.None => null,
        Errno.ENOENT => DeadSocketObstacle.NotFound,
        Errno.EPERM or Errno.EACCES => DeadSocketObstacle.NotPermitted,
        Errno.EOPNOTSUPP => DeadSocketObstacle.NotSupported,
        _ => throw new LinuxException("end a socket", errno),
    };

    private static void Note(
        IEnumerable<DeadSocketValue> sockets, DeadSocketObstacle obstacle, Dictionary<ulong, DeadSocketObstacle> obstacles)
    {
        foreach (var socket in sockets)
            obstacles[socket.Cookie] = obstacle;
    }

    private static ConnectedSocketId Identify(in DeadSocketValue socket) => new(
        (ProtocolType)socket.Protocol,
        EndOf(socket.Family, socket.Local, socket.LocalPort),
        EndOf(socket.Family, socket.Remote, socket.RemotePort),
        socket.Ifindex,
        socket.Cookie);

    private static IPEndPoint EndOf(byte family, in Address address, BigEndian16 port)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.CopyTo(bytes);
        return new IPEndPoint(new IPAddress(family == AF_INET6 ? bytes : bytes[12..]), port.Value);
    }
}
