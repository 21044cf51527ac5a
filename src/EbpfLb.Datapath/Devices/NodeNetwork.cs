// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Conntrack;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Features;
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Status;
using EbpfLb.Datapath.Sync;
using EbpfLb.Linux;
using EbpfLb.Linux.Netlink;
using EbpfLb.LoadBalancing.Model;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Datapath.Devices;

/// <summary>
/// Keeps programs on devices, devices_v1, node_addrs_v1 and the generation of routes in step with the network. Owned by one task, whose
/// thread is in the node's network namespace while it calls.
/// </summary>
public sealed class NodeNetwork : IDisposable
{
    private readonly NetworkPicture _picture = new();
    private readonly HashSet<int> _gone = [];
    private readonly HashSet<int> _unasked = [];
    private readonly HashSet<int> _sends = [];
    private readonly HashSet<string> _told = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, Problem> _unwritten = new(StringComparer.Ordinal);
    private readonly Loading.Datapath _datapath;
    private readonly DeviceOptions _options;
    private readonly NodeSettings _settings;
    private readonly DeviceLinks _links;
    private readonly MapView<uint, DeviceValue> _devices;
    private readonly MapView<Address, NodeAddressValue> _addresses;
    private readonly ILogger _logger;
    private readonly bool _asksDrivers;

    private DevicePlan? _plan;
    private DeviceLinksResult _applied = new(0, 0, 0, 0, 0, [], new Dictionary<int, IReadOnlyList<DeviceHook>>());
    private PictureEffects _pending;

    // Until all was read and put in place once, what is known says nothing: by it, every device would have gone.
    private bool _isInPlace;
    private string? _served;
    private Problem? _unserved;
    private IReadOnlyList<Problem> _problems = [];
    private IReadOnlyList<Address> _nodePortAddresses = [];

    public NodeNetwork(Loading.Datapath datapath, DeviceOptions options, NodeSettings settings, ILogger<NodeNetwork> logger)
    {
        ArgumentNullException.ThrowIfNull(datapath);
        ArgumentNullException.ThrowIfNull(options);
        _datapath = datapath;
        _options = options;
        _settings = settings;
        _logger = logger;
        _devices = new(datapath.Maps.Devices);
        _addresses = new(datapath.Maps.NodeAddresses);
        _links = new DeviceLinks(datapath, options.Xdp, logger);
        _asksDrivers = datapath.Features.Has(KernelFeature.DriverFeatures);
    }

    /// <summary>Devices that hold our programs.</summary>
    public int AttachedDevices => _applied.Attached.Count;

    /// <summary>What packets of this node carry as their source when they leave through one of its balanced devices; ordered.</summary>
    public IReadOnlyList<Address> SourceAddresses { get; private set; } = [];

    /// <summary>Told in the task that calls, after <see cref="SourceAddresses"/> changed.</summary>
    public Action? SourceAddressesChanged { get; set; }

    /// <summary>Those that answer NodePorts; ordered. Any thread may read it.</summary>
    public IReadOnlyList<Address> NodePortAddresses => Volatile.Read(ref _nodePortAddresses);

    /// <summary>What of the packet path is not in place as it should be. Any thread may read it.</summary>
    public IReadOnlyList<Problem> Problems => Volatile.Read(ref _problems);

    /// <summary>For the task that calls.</summary>
    public IEnumerable<MapFill> Fills => [_devices.Fill, _addresses.Fill];

    /// <summary>Told in the task that calls, after <see cref="Problems"/> changed.</summary>
    public Action? ProblemsChanged { get; set; }

    /// <summary>Reads everything and puts everything in place. At the start, and now and then: it also finds what no event told.</summary>
    public void Refresh()
    {
        _devices.Load();
        _addresses.Load();
        ReadAll();
        // What an earlier agent found stays under the same condition as what this one did.
        _plan ??= _links.Find(_picture.Links);
        PutInPlace(areFresh: true);
    }

    /// <summary>Takes one event. The generation is raised before this returns; the rest waits for <see cref="Apply"/>.</summary>
    /// <returns>Whether it asks for <see cref="Apply"/>.</returns>
    public bool Take(NetworkChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        var effects = _picture.Take(change);
        if (change.Link is { } link)
            _unasked.Add(link.Index);
        if (change.Kind == NetworkChangeKind.LinkRemoved)
            _gone.Add(change.Link!.Index);
        if (effects.HasFlag(PictureEffects.Routes))
            _settings.RaiseGeneration();
        effects &= ~PictureEffects.Routes;
        _pending |= effects;
        return effects != PictureEffects.None;
    }

    /// <summary>Puts in place what the events since the last pass ask for.</summary>
    public void Apply()
    {
        if (!_isInPlace)
        {
            Refresh();
            return;
        }

        bool lost = _pending.HasFlag(PictureEffects.Lost);
        if (lost)
        {
            _logger.ReadAgain();
            ReadAll();
        }
        else if (_pending.HasFlag(PictureEffects.DefaultRoutes)
            && _picture.ReplaceRoutes(NetworkDump.Routes()).HasFlag(PictureEffects.Routes))
        {
            _settings.RaiseGeneration();
        }

        PutInPlace(areFresh: lost);
    }

    /// <summary>
    /// Looks after what changes without an event: a veth takes frames from XDP as long as its other end does, and a foreign XDP program may
    /// have made room. Does again what failed, and what somebody undid.
    /// </summary>
    public void LookAgain()
    {
        _unasked.UnionWith(_applied.Attached.Keys);
        if (!_isInPlace || _applied.Failed > 0 || _pending != PictureEffects.None || _links.HasLost())
        {
            Apply();
            return;
        }

        long writesBefore = _devices.Writes;
        NoteFeatures();
        WriteDevices(Balanced());
        if (_devices.Writes != writesBefore)
            _settings.RaiseGeneration();
        NoteProblems();
    }

    public void Dispose() => _links.Dispose();

    private void ReadAll()
    {
        var links = NetworkDump.Links();
        var effects = _picture.Replace(links, NetworkDump.Addresses(), NetworkDump.Routes(), NetworkDump.Neighbors());
        if (effects.HasFlag(PictureEffects.Routes))
            _settings.RaiseGeneration();
        _unasked.UnionWith(_picture.Links.Keys);
    }

    private void PutInPlace(bool areFresh)
    {
        _plan = DevicePlan.Decide(_picture, _options, _plan ?? DevicePlan.Empty);
        foreach (var device in DevicePlan.Unusable(_picture, _options).Where(device => _told.Add($"not Ethernet: {device.Name}")))
            _logger.NotEthernet(device.Name);

        foreach (var address in _options.NodeAddresses)
        {
            string what = $"node IP: {address}";
            if (_picture.Addresses.Any(own => Address.From(own.Address) == address))
                _told.Remove(what);
            else if (_told.Add(what))
                _logger.NodeIpElsewhere(address.ToString());
        }

        long writesBefore = _devices.Writes + _addresses.Writes;
        // Before a program is attached: it must know its own node and device. What is attached is until then what the map says.
        WriteAddresses();
        NoteFeatures();
        WriteDevices(_devices.Entries
            .Where(device => device.Value.Flags.HasFlag(DeviceFlags.Attached)).Select(device => (int)device.Key).ToHashSet());
        // At once, because what follows may fail.
        if (_devices.Writes + _addresses.Writes > writesBefore)
            _settings.RaiseGeneration();
        NoteProblems();
        _links.UsePrograms(_datapath.ProgramDirectory);
        _applied = _links.Apply(_plan, _picture.Links, areFresh, _gone);
        _gone.Clear();
        // Some drivers take frames from XDP only while they have a program of their own.
        if (_applied.Created + _applied.Removed > 0)
            _unasked.UnionWith(_plan.Devices.Keys);
        NoteFeatures();
        WriteDevices(Balanced());
        NoteSources();

        long writes = _devices.Writes + _addresses.Writes - writesBefore;
        if (writes > 0 || _applied.Created + _applied.Updated + _applied.Removed > 0)
        {
            // Routes that were looked up meanwhile may rest on what the maps said before.
            _settings.RaiseGeneration();
            _logger.Applied(_applied.Created, _applied.Updated, _applied.Kept, _applied.Removed, writes);
        }

        TellServed();
        NoteProblems();
        _pending = PictureEffects.None;
        _isInPlace = true;
    }

    private void WriteAddresses()
    {
        var local = NodeAddresses.Local(_picture, _options);
        foreach (var address in _addresses.Entries.Keys.Where(address => !local.ContainsKey(address)).ToArray())
            _addresses.Delete(address);
        var failed = MapWrite.Ok;
        var missing = new List<string>();
        foreach (var (address, flags) in local)
        {
            var write = _addresses.Put(address, new NodeAddressValue { Flags = flags });
            failed = Worse(failed, write);
            if (!write.Succeeded)
                missing.Add(address.ToString());
        }

        TellMap(_addresses.Name, failed, missing, "Addresses that are missing answer no NodePorts.");
        Volatile.Write(
            ref _nodePortAddresses, [.. local.Where(own => own.Value.HasFlag(NodeAddressFlags.NodePorts)).Select(own => own.Key).Order()]);
    }

    // Devices whose incoming packets our programs see.
    private HashSet<int> Balanced() => _applied.Attached
        .Where(device => device.Value.Any(hook => hook is DeviceHook.TcxIngress or DeviceHook.TcxPod))
        .Select(device => device.Key).ToHashSet();

    private void WriteDevices(HashSet<int> attached)
    {
        var devices = NodeAddresses.Devices(_picture, _options, attached, _sends);
        foreach (uint index in _devices.Entries.Keys.Where(index => !devices.ContainsKey(index)).ToArray())
            _devices.Delete(index);
        var failed = MapWrite.Ok;
        var missing = new List<string>();
        // Attached ones first: they matter most where there is not room for all.
        foreach (var (index, device) in devices.OrderByDescending(device => device.Value.Flags))
        {
            var write = _devices.Put(index, device);
            failed = Worse(failed, write);
            if (!write.Succeeded)
                missing.Add(_picture.Links[(int)index].Name);
        }

        TellMap(_devices.Name, failed, missing, "Flows to other nodes through devices that are missing are dropped.");
    }

    private void NoteSources()
    {
        var sources = _devices.Entries.Values.Where(device => device.Flags.HasFlag(DeviceFlags.Attached))
            .SelectMany(device => (Address[])[device.SourceV4, device.SourceV6])
            .Where(address => address != default)
            .Distinct().Order().ToArray();
        if (sources.SequenceEqual(SourceAddresses))
            return;

        SourceAddresses = sources;
        SourceAddressesChanged?.Invoke();
    }

    private static MapWrite Worse(MapWrite known, MapWrite result) => result.Succeeded ? known : result;

    private void TellMap(string map, MapWrite result, List<string> missing, string consequence)
    {
        if (result.Succeeded)
        {
            _told.Remove(map);
            _unwritten.Remove(map);
            return;
        }

        bool isFull = result.Error == MapError.Full;
        string cause = isFull ? "it is full" : result.ErrnoName;
        string more = missing.Count > 1 ? $" and {missing.Count - 1} more" : "";
        _unwritten[map] = new Problem(map, $"{map} cannot take {missing[0]}{more}: {cause}. {consequence} " + (isFull
            ? $"Raise it with --map-size {map}=ENTRIES."
            : "It is tried again; if that goes on, restart the agent."));
        if (_told.Add(map))
            _logger.MapNotWritten(map, cause, consequence);
    }

    private void NoteProblems()
    {
        Problem[] problems =
        [
            .. _unserved is null ? Array.Empty<Problem>() : [_unserved],
            .. _applied.Refused.Where(IsProblem).Select(Describe),
            .. _unwritten.Values,
        ];
        if (problems.SequenceEqual(_problems))
            return;

        Volatile.Write(ref _problems, problems);
        ProblemsChanged?.Invoke();
    }

    // Where XDP is refused, tc serves. That is what was asked for, unless native XDP was and only a foreign program is in its way.
    private bool IsProblem(DeviceRefusal refusal) =>
        refusal.Hook != DeviceHook.Xdp || (_options.Xdp == XdpChoice.Native && refusal.IsOccupied);

    private static Problem Describe(DeviceRefusal refusal) => new(refusal.Device, refusal.Hook == DeviceHook.Xdp
        ? $"{refusal.Device} has a foreign XDP program, {refusal.Cause}, so tc serves it and not XDP, which --xdp native asks for. "
            + $"Take that program off ('ip link set dev {refusal.Device} xdp off'), or choose --xdp auto."
        : $"{refusal.Device} cannot be attached to at {Name(refusal.Hook)}: {refusal.Cause}. Its packets are not balanced. It is tried again; "
            + "if the cause cannot be removed, leave the device out of --devices and --pod-devices.");

    // Of devices that are new or changed.
    private void NoteFeatures()
    {
        _sends.IntersectWith(_picture.Links.Keys);
        foreach (int index in _unasked.Where(_picture.Links.ContainsKey))
        {
            try
            {
                if (_asksDrivers && NetdevFeatures.TryGet(index, out var features) && features.HasFlag(XdpFeatures.NdoXmit))
                    _sends.Add(index);
                else
                    _sends.Remove(index);
            }
            catch (LinuxException exception) when (exception.Errno == Errno.ENODEV)
            {
                _sends.Remove(index);
            }
        }

        _unasked.Clear();
    }

    private void TellServed()
    {
        // Devices of pods come and go all the time, and there are many.
        var (pods, uplinks) = (_applied.Attached.Where(IsPod), _applied.Attached.Where(device => !IsPod(device)));
        string served = string.Join(", ", uplinks
            .Select(device => $"{_picture.Links[device.Key].Name} ({string.Join(", ", device.Value.OrderDescending().Select(Name))})")
            .Order(StringComparer.Ordinal)
            .Concat(pods.Select(_ => "devices of pods").Take(1)));
        if (served != _served && served.Length > 0)
            _logger.DevicesServed(served);
        _served = served;

        string? choice = Unserved();
        var unserved = choice is null ? null : new Problem("--devices", $"No device is attached to ({choice}): packets from outside are not "
            + "balanced until there is one. Name devices with --devices; --devices none balances sockets only.");
        if (choice is not null && unserved != _unserved)
            _logger.NoDevices(choice);
        _unserved = unserved;
    }

    // What was to be attached to, if nothing is and no refusal says why.
    private string? Unserved()
    {
        if (_options.Devices is { Count: 0 } || _plan!.Devices.Values.Contains(DeviceRole.Uplink))
            return null;

        if (_options.Devices is not { } patterns)
            return "no Ethernet device that is up has a default route or the address --node-ip";

        string[] unusable = [.. DevicePlan.Unusable(_picture, _options).Select(device => $"{device.Name} carries no Ethernet frames")];
        return $"--devices {string.Join(", ", unusable.Prepend(string.Join(',', patterns)))}";
    }

    private static bool IsPod(KeyValuePair<int, IReadOnlyList<DeviceHook>> device) => device.Value.Contains(DeviceHook.TcxPod);

    private static string Name(DeviceHook hook) => hook switch
    {
        DeviceHook.Xdp => "XDP",
        DeviceHook.TcxIngress => "tc ingress",
        DeviceHook.TcxPod => "tc pod",
        _ => "tc egress",
    };
}
