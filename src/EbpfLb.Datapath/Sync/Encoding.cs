// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Maglev;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Sync;

/// <summary>Desired state in the words of the maps. Pure.</summary>
internal static class Encoding
{
    private const uint ServiceIdBits = 32;

    public static FrontendKey Key(FrontendAddress frontend) =>
        new() { Address = frontend.Address, Port = new BigEndian16(frontend.Port), Protocol = frontend.Protocol };

    public static FrontendValue Frontend(Frontend frontend, uint serviceId) =>
        new() { ServiceId = serviceId, Flags = (FrontendFlags)frontend.Kind };

    public static BackendValue Backend(Backend backend, Protocol protocol, uint serviceId) => new()
    {
        Address = backend.Address,
        Port = new BigEndian16(backend.Port),
        Protocol = protocol,
        Flags = backend.Flags,
        ServiceId = serviceId,
    };

    public static ServiceValue Service(DesiredPort port, SlotRange cluster, SlotRange local) => new()
    {
        Cluster = cluster,
        Local = local,
        AffinityTimeoutSeconds = port.AffinityTimeoutSeconds,
        Algorithm = port.Algorithm,
        Flags = (port.InternalTrafficPolicy == TrafficPolicy.Local ? ServiceFlags.InternalLocal : 0)
            | (port.ExternalTrafficPolicy == TrafficPolicy.Local ? ServiceFlags.ExternalLocal : 0)
            | (port.HasEndpoints ? ServiceFlags.HasEndpoints : 0)
            | (port.SourceRanges.IsEmpty ? 0 : ServiceFlags.SourceRanges)
            | (port.AdmitsPods ? ServiceFlags.AdmitsPods : 0)
            | (port.AdmitsNode ? ServiceFlags.AdmitsNode : 0),
    };

    public static SourceRangeKey Range(AddressPrefix prefix, uint serviceId) =>
        new() { PrefixBits = ServiceIdBits + (uint)prefix.Bits, ServiceId = serviceId, Address = prefix.Network };

    public static AddressPrefix Prefix(SourceRangeKey key) => Prefix(key.Address, key.PrefixBits - ServiceIdBits);

    public static ServiceCidrKey Cidr(AddressPrefix prefix) => new() { PrefixBits = (uint)prefix.Bits, Address = prefix.Network };

    public static AddressPrefix Prefix(ServiceCidrKey key) => Prefix(key.Address, key.PrefixBits);

    private static AddressPrefix Prefix(Address address, uint bits) =>
        AddressPrefix.Of(address, (int)Math.Clamp(address.IsIPv4 ? (long)bits - 96 : bits, 0, address.IsIPv4 ? 32 : 128));

    public static ServiceNameValue Name(ServicePortKey key) =>
        new() { Name = key.DisplayName, Protocol = key.Protocol, Family = key.Family };

    /// <summary>Reads back what <see cref="Name"/> wrote. Kubernetes names hold neither slash nor colon.</summary>
    public static bool TryKey(in ServiceNameValue value, out ServicePortKey key)
    {
        key = default;
        string text = value.Name.ToString();
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0)
            return false;

        int colon = text.IndexOf(':', slash);
        string name = colon < 0 ? text[(slash + 1)..] : text[(slash + 1)..colon];
        string port = colon < 0 ? "" : text[(colon + 1)..];
        key = new ServicePortKey(new ObjectName(text[..slash], name), port, value.Protocol, value.Family);
        return name.Length > 0;
    }

    /// <summary>The slots of one list: backend ids in order, or spread by Maglev.</summary>
    /// <param name="backends">The ids of <see cref="DesiredPort.Backends"/>, in its order.</param>
    public static uint[] Table(DesiredPort port, ProgrammedBackend[] backends, BackendFlags list, MaglevOptions maglev)
    {
        var ids = new List<uint>(backends.Length);
        var members = new List<Backend>(backends.Length);
        for (int i = 0; i < backends.Length; i++)
        {
            if ((port.Backends[i].Flags & list) == 0)
                continue;

            ids.Add(backends[i].Id);
            members.Add(port.Backends[i]);
        }

        if (port.Algorithm != Algorithm.Maglev || members.Count == 0)
            return [.. ids];

        var table = MaglevTable.Build(members.ToArray(), port.Key.Protocol, port.MaglevTableSize, maglev.Seed.AsSpan());
        return Array.ConvertAll(table, index => ids[index]);
    }
}
