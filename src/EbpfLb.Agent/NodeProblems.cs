// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Devices;
using EbpfLb.Datapath.Status;

namespace EbpfLb.Agent;

/// <summary>What is wrong with this node, from all who look at it. Set by the task that follows the network, read by any.</summary>
internal sealed class NodeProblems
{
    private readonly NodeNetwork _network;
    private IReadOnlyList<Problem> _ofSysctls = [];
    private Problem? _ofFollower;

    public NodeProblems(NodeNetwork network)
    {
        _network = network;
        network.ProblemsChanged = () => Changed?.Invoke();
    }

    /// <summary>Told after <see cref="Current"/> changed.</summary>
    public Action? Changed { get; set; }

    public IReadOnlyList<Problem> Current =>
    [
        .. Volatile.Read(ref _ofFollower) is { } failure ? [failure] : Array.Empty<Problem>(),
        .. _network.Problems,
        .. Volatile.Read(ref _ofSysctls),
    ];

    public Problem? OfFollower
    {
        set
        {
            Volatile.Write(ref _ofFollower, value);
            Changed?.Invoke();
        }
    }

    public IReadOnlyList<Problem> OfSysctls
    {
        set
        {
            if (value.SequenceEqual(_ofSysctls))
                return;

            Volatile.Write(ref _ofSysctls, value);
            Changed?.Invoke();
        }
    }
}
