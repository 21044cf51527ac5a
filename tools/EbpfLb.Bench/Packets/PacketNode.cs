// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using BackendFlags = EbpfLb.LoadBalancing.Desired.BackendFlags;

namespace EbpfLb.Bench.Packets;

/// <param name="Services">Load balancer addresses; each has a port for UDP and TCP, in both families.</param>
/// <param name="Backends">Of each service, on other nodes.</param>
/// <param name="SecondDevice">The backends are behind the other device, not behind the uplink that the clients come through.</param>
internal sealed record PacketNodeShape(int Services, int Backends, Algorithm Algorithm, bool SecondDevice);

/// <summary>A node that the data plane serves.</summary>
internal sealed class PacketNode : IDisposable
{
    public const string FirstService = "100.64.0.1";
    public const string FirstServiceV6 = "2001:db8:1::1";

    private readonly PacketNodeShape _shape;

    private PacketNode(Pair pair, PacketNodeShape shape)
    {
        Pair = pair;
        _shape = shape;
        Datapath = LoadedDatapath.Load(Path.Combine(pair.BpfFs, "ours"));
        try
        {
            // As tools/xdpbench/pair.sh makes them.
            AddDevice(Pair.Uplink, 101, "10.10.0.1", "fd00:10:10::1", 0x01);
            AddDevice(Pair.Second, 102, "10.20.0.1", "fd00:10:20::1", 0x03);
            AddServices();
        }
        catch
        {
            Datapath.Dispose();
            throw;
        }
    }

    public Pair Pair { get; }

    public LoadedDatapath Datapath { get; }

    /// <summary>Where translated frames go.</summary>
    public string Expected => _shape.SecondDevice ? "10.244.3.0/24" : "10.244.2.0/24";

    public string ExpectedV6 => _shape.SecondDevice ? "fd00:10:244:3::/64" : "fd00:10:244:2::/64";

    public static PacketNode Create(PacketNodeShape shape, CancellationToken stopping)
    {
        var pair = Pair.Create(stopping);
        try
        {
            return new PacketNode(pair, shape);
        }
        catch
        {
            pair.Dispose();
            throw;
        }
    }

    public override string ToString() => _shape.ToString();

    public void Dispose()
    {
        Datapath.Dispose();
        Pair.Dispose();
    }

    private void AddDevice(string name, uint index, string address, string addressV6, byte lastOfMac)
    {
        Datapath.AddDevice(index, new MacAddress([0x02, 0xeb, 0, 0, 0, lastOfMac]), address, addressV6);
        Pair.Attach(name, Datapath.XdpIngress, "xdp");
        Pair.Attach(name, Datapath.TcIngress, "tcx-ingress");
        Pair.Attach(name, Datapath.TcEgress, "tcx-egress");
    }

    private void AddServices()
    {
        for (int service = 0; service < _shape.Services; service++)
        {
            foreach (bool v6 in new[] { false, true })
            {
                var backends = Enumerable.Range(service * _shape.Backends, _shape.Backends)
                    .Select(number => BackendOf(number, v6))
                    .ToArray();
                foreach (var protocol in new[] { Protocol.Udp, Protocol.Tcp })
                    Datapath.AddService(FrontendOf(service, v6), Flows.Port, protocol, _shape.Algorithm, backends);
            }
        }
    }

    // Neighbours of the first, because the generator counts on from there.
    private static Address FrontendOf(int service, bool v6) => Address.Parse(v6
        ? string.Create(CultureInfo.InvariantCulture, $"2001:db8:1::{service + 1:x}")
        : string.Create(CultureInfo.InvariantCulture, $"100.64.{(service + 1) >> 8}.{(service + 1) & 255}"));

    private Backend BackendOf(int number, bool v6)
    {
        int device = _shape.SecondDevice ? 3 : 2;
        int host = number % 250 + 1;
        var address = Address.Parse(v6
            ? string.Create(CultureInfo.InvariantCulture, $"fd00:10:244:{device}::{host:x}")
            : string.Create(CultureInfo.InvariantCulture, $"10.244.{device}.{host}"));
        return new Backend(address, (ushort)(8080 + number / 250), BackendFlags.InCluster);
    }
}
