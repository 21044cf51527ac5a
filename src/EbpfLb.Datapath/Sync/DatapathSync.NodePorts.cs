// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;

namespace EbpfLb.Datapath.Sync;

public sealed partial class DatapathSync
{
    // By port: frontends of an unspecified address, whatever their protocol and family.
    private readonly Dictionary<ushort, int> _nodePorts = [];
    private readonly SortedSet<ushort> _nodePortsInOrder = [];

    /// <summary>Holds every port of which there is a frontend of an unspecified address; none beyond the lowest and the highest.</summary>
    public NodePortRange NodePortRange => _maps.NodePorts.Range;

    // Programs look for such a frontend only inside the range, so it grows before the frontend comes.
    private void WidenNodePortRange(FrontendKey key)
    {
        if (key.Address.IsAny && !_maps.NodePorts.Range.Contains(key.Port.Value))
            _maps.NodePorts.Range = _maps.NodePorts.Range.With(key.Port.Value);
    }

    private void CountNodePort(ushort port, int by)
    {
        int count = _nodePorts.GetValueOrDefault(port) + by;
        if (count == 0)
        {
            _nodePorts.Remove(port);
            _nodePortsInOrder.Remove(port);
        }
        else
        {
            _nodePorts[port] = count;
            _nodePortsInOrder.Add(port);
        }
    }

    // And it shrinks after the frontend has gone.
    private void FitNodePortRange()
    {
        var range = _nodePortsInOrder.Count == 0 ? NodePortRange.None : new NodePortRange(_nodePortsInOrder.Min, _nodePortsInOrder.Max);
        if (range != _maps.NodePorts.Range)
            _maps.NodePorts.Range = range;
    }
}
