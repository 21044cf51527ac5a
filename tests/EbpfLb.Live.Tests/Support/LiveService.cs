// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Live.Tests.Support;

/// <summary>A service with an address of each family and a manifest file that nobody else writes; TCP and UDP on port 80.</summary>
internal sealed class LiveService(LiveAgent agent, int number)
{
    public const int Port = 80;

    /// <summary>Where servers listen.</summary>
    public const int TargetPort = 8080;

    public static IReadOnlyList<ServicePort> Ports { get; } = [new("tcp", "TCP", Port), new("udp", "UDP", Port)];

    public static IReadOnlyList<ServicePort> TargetPorts { get; } = [new("tcp", "TCP", TargetPort), new("udp", "UDP", TargetPort)];

    public string Name => $"s{number}";

    /// <summary>As the maps have it, without the port.</summary>
    public string FullName => $"live/{Name}";

    /// <summary>Whether a name of the maps is that of one of its ports.</summary>
    public bool Owns(string name) => name.StartsWith(FullName + ":", StringComparison.Ordinal);

    public string File => $"{Name}.yaml";

    public string V4 { get; } = $"10.96.{number / 250}.{number % 250 + 1}";

    public string V6 { get; } = $"fd00:10:96::{number + 1:x}";

    /// <summary>Further lines of its spec.</summary>
    public string Spec { get; init; } = "";

    public string Algorithm { get; init; } = "";

    public string Address(DialFamily family) => family == DialFamily.V6 ? V6 : V4;

    /// <summary>As getpeername() and recvfrom() have to show it.</summary>
    public string Frontend(DialFamily family, int port = Port) => family == DialFamily.V6 ? $"[{V6}]:{port}" : $"{V4}:{port}";

    public string Manifest(string? spec = null, IEnumerable<ServicePort>? ports = null) =>
        Manifests.Service(Name, [V4, V6], ports ?? Ports, spec ?? Spec, Algorithm);

    public string SliceV4(string suffix, IEnumerable<ServicePort> ports, params IEnumerable<Endpoint> endpoints) =>
        Manifests.Slice($"{Name}-{suffix}", Name, v6: false, ports, endpoints);

    public string SliceV6(string suffix, IEnumerable<ServicePort> ports, params IEnumerable<Endpoint> endpoints) =>
        Manifests.Slice($"{Name}-{suffix}", Name, v6: true, ports, endpoints);

    /// <summary>Both families of the endpoints, TCP and UDP.</summary>
    public string[] Slices(IReadOnlyCollection<Endpoint> endpoints) =>
        [SliceV4("v4", TargetPorts, endpoints), SliceV6("v6", TargetPorts, endpoints)];

    /// <summary>The service with these endpoints and no others, until the maps have it so.</summary>
    public Task PublishAsync(params IReadOnlyCollection<Endpoint> endpoints) => PublishTextAsync([Manifest(), .. Slices(endpoints)]);

    public Task PublishTextAsync(params IEnumerable<string> documents) =>
        agent.SyncAsync(() => agent.Manifests.Write(File, Manifests.File(documents)));

    public Task DeleteAsync() => agent.SyncAsync(() => agent.Manifests.Delete(File));
}
