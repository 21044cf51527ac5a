// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Api.Reflection;

/// <summary>
/// What the resources of one server have in common when that does not work: one of them tells, and what none of them has says nothing
/// about any. Any thread may call any member.
/// </summary>
/// <param name="resources">How many there are.</param>
internal sealed class ServerOutage(int resources)
{
    private readonly Lock _gate = new();

    // Everything below is read and written with _gate held.
    private readonly HashSet<ResourceKind> _lost = [];
    private ResourceKind? _teller;
    private bool _hasAnswered;

    /// <summary>Nothing comes for any of them, or nothing came yet.</summary>
    public bool IsWhole
    {
        get
        {
            lock (_gate)
                return !_hasAnswered || _lost.Count == resources;
        }
    }

    /// <returns>Whether this one tells: the first does, and when it is well again, one that still is not.</returns>
    public bool Join(ResourceKind kind)
    {
        lock (_gate)
        {
            _lost.Add(kind);
            _teller ??= kind;
            return _teller == kind;
        }
    }

    /// <summary>Something came, whichever resource it was asked for.</summary>
    public void Answered()
    {
        lock (_gate)
            _hasAnswered = true;
    }

    public void Leave(ResourceKind kind)
    {
        lock (_gate)
        {
            _lost.Remove(kind);
            if (_teller == kind)
                _teller = null;
        }
    }
}
