// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Sync;

/// <summary>
/// The ids of backends that went last. One that comes back gets its own again, and with it the connections that it never lost: those name
/// their backend by its id. Nobody else can have been given the id: all others have their turn first.
/// </summary>
/// <param name="capacity">How many; from there on the one that has been gone longest is forgotten.</param>
internal sealed class DepartedBackends(int capacity = 16_384)
{
    private readonly Dictionary<Departed, (uint Id, long Turn)> _ids = [];
    private readonly Queue<(Departed Backend, long Turn)> _order = [];
    private long _turn;

    private readonly record struct Departed(ServicePortKey Port, Address Address, ushort Number);

    public void Remember(ServicePortKey port, ProgrammedBackend backend)
    {
        // Datagrams do not wait for their backend.
        if (port.Protocol != Protocol.Tcp)
            return;

        var departed = new Departed(port, backend.Address, backend.Port);
        _ids[departed] = (backend.Id, ++_turn);
        _order.Enqueue((departed, _turn));
        while (_order.Count > capacity)
        {
            var (oldest, turn) = _order.Dequeue();
            // It may have come back, and gone again.
            if (_ids.TryGetValue(oldest, out var known) && known.Turn == turn)
                _ids.Remove(oldest);
        }
    }

    /// <summary>Once: whoever takes the id has it.</summary>
    public bool TryTake(ServicePortKey port, Address address, ushort number, out uint id)
    {
        bool found = _ids.Remove(new Departed(port, address, number), out var known);
        id = known.Id;
        return found;
    }
}
