// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;

namespace EbpfLb.Datapath.Inspection;

/// <summary>
/// Backends and services by id, for views that begin with an id. Each view and each text is made once, and only if it is asked for: a node
/// has far more backends than a command shows.
/// </summary>
internal sealed class BackendNames(ILbMaps maps)
{
    private readonly Dictionary<uint, BackendValue> _backends = new(maps.Backends.ReadAll());
    private readonly Dictionary<uint, ServiceNameValue> _services = new(maps.ServiceNames.ReadAll());
    private readonly Dictionary<uint, BackendView> _views = [];
    private readonly Dictionary<uint, string> _names = [];

    public IReadOnlyCollection<uint> ServiceIds => _services.Keys;

    /// <summary>Null when the backend is gone.</summary>
    public BackendView? Find(uint id)
    {
        if (_views.TryGetValue(id, out var view))
            return view;
        if (!_backends.TryGetValue(id, out var value))
            return null;

        return _views[id] = new BackendView(
            id, value.Address, value.Port.Value, value.Protocol, value.Flags, value.ServiceId, NameOf(value.ServiceId));
    }

    /// <summary>Empty when the maps do not know it.</summary>
    public string NameOf(uint serviceId)
    {
        if (_names.TryGetValue(serviceId, out string? name))
            return name;

        return _names[serviceId] = _services.TryGetValue(serviceId, out var value) ? value.Name.ToString() : "";
    }

    public ServiceNameValue? FindService(uint serviceId) => _services.TryGetValue(serviceId, out var value) ? value : null;
}
