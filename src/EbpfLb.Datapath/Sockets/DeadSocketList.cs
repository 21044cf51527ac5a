// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Datapath.Sockets;

/// <summary>
/// Connected sockets, of every network namespace, whose backend is none of the service they dialled. That another service has it does
/// not help: a socket is bound to a service, as a connection of the packet path is.
/// </summary>
public sealed class DeadSocketList : IDisposable
{
    private readonly IBpfMap<uint, BackendValue> _backends;
    private readonly BpfMapIterator _iterator;

    private DeadSocketList(BpfProgram program, KernelMaps maps)
    {
        _backends = maps.Backends;
        _iterator = BpfMapIterator.Attach(program, maps.SockPeers);
    }

    /// <param name="programDirectory">Where this build's programs are.</param>
    /// <returns>Null when the kernel did not take the program.</returns>
    public static DeadSocketList? TryOpen(string programDirectory, KernelMaps maps)
    {
        ArgumentNullException.ThrowIfNull(maps);
        if (!BpfProgram.TryOpenPinned(Path.Combine(programDirectory, ProgramNames.DeadSockets), out var program))
            return null;

        using (program)
            return new DeadSocketList(program, maps);
    }

    /// <exception cref="LinuxException">The sockets, or the backends, cannot be read.</exception>
    public IReadOnlyList<DeadSocketValue> Read()
    {
        // The program goes by the backend's id. One that went and came back has another, and its sockets reach it as before.
        var listed = _iterator.Read<DeadSocketValue>();
        if (listed.Count == 0)
            return listed;

        var backends = _backends.ReadAll()
            .Select(entry => (entry.Value.Protocol, entry.Value.ServiceId, entry.Value.Address, entry.Value.Port.Value))
            .ToHashSet();
        listed.RemoveAll(socket => backends.Contains((socket.Protocol, socket.ServiceId, socket.Remote, socket.RemotePort.Value)));
        return [.. listed.DistinctBy(socket => socket.Cookie)];
    }

    public void Dispose() => _iterator.Dispose();
}
