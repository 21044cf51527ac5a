// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using EbpfLb.Datapath.Status;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.Selection;
using EbpfLb.LoadBalancing.State;
using Microsoft.Extensions.Logging;
using AddressFamily = EbpfLb.LoadBalancing.Model.AddressFamily;

namespace EbpfLb.Agent.Serving;

/// <summary>
/// The healthCheckNodePorts: where a load balancer outside asks whether this node has ready endpoints of a service. They answer from
/// what the last run knew, whatever becomes of the datapath. Any thread may call any member.
/// </summary>
/// <param name="nodePortAddresses">Those of the node that answer NodePorts; null: all.</param>
/// <param name="isHealthy">As /livez has it: what becomes of the node is for /healthz.</param>
/// <param name="warn">
/// Told of a service that is not served, with the reason and the message of an event; once as long as that lasts. Must not block.
/// </param>
internal sealed class HealthCheckPorts(
    HttpServer server, string nodeName, Func<IReadOnlyList<Address>?> nodePortAddresses, Func<bool> isHealthy,
    Action<ObjectName, string, string>? warn, ILogger<HealthCheckPorts> logger) : IDisposable
{
    public const string Failed = "FailedToStartServiceHealthcheck";

    private static readonly AddressFamily[] Families = [AddressFamily.IPv4, AddressFamily.IPv6];

    private readonly Lock _gate = new();

    // All of these with _gate held, but for the counts in a claim.
    private readonly Dictionary<ObjectName, Claim> _claims = [];
    private readonly Dictionary<IPEndPoint, (OpenPort Port, Claim Owner)> _open = [];
    private IReadOnlyList<Problem> _problems = [];
    private bool _isDisposed;

    /// <summary>Ports that cannot be listened at; ordered by service.</summary>
    public IReadOnlyList<Problem> Problems => Volatile.Read(ref _problems);

    /// <summary>Told after <see cref="Problems"/> changed.</summary>
    public Action? ProblemsChanged { get; set; }

    /// <summary>Learns what became of some services, and tries again where it failed.</summary>
    public void Update(ClusterState state, IEnumerable<ObjectName> dirty)
    {
        bool changed = false;
        lock (_gate)
        {
            foreach (var name in dirty)
            {
                var service = state.FindService(name) is { HealthCheckNodePort: not 0 } asked ? asked : null;
                if (service is null ? _claims.Remove(name) : Learn(service))
                    changed = true;
                if (service is not null)
                    _claims[name].Count(state.SlicesOf(name), nodeName);
            }

            changed |= _problems.Count > 0;
        }

        if (changed)
            Retry();
    }

    /// <summary>Closes what is no longer asked for, and opens what is.</summary>
    public void Retry()
    {
        lock (_gate)
        {
            var problems = new SortedDictionary<(ObjectName, string), (Problem Problem, string Event)>();
            var wanted = Wanted(problems);
            foreach (var (endPoint, open) in _open.Where(open => wanted.GetValueOrDefault(open.Key) != open.Value.Owner).ToArray())
            {
                open.Port.Dispose();
                _open.Remove(endPoint);
            }

            foreach (var (endPoint, claim) in wanted.Where(port => !_open.ContainsKey(port.Key)))
                Open(endPoint, claim, problems);
            if (problems.Values.Select(told => told.Problem).SequenceEqual(_problems))
                return;

            foreach (var ((service, _), (problem, message)) in problems.Where(told => !_problems.Contains(told.Value.Problem)))
            {
                logger.HealthCheckPortFailed(problem.Message);
                warn?.Invoke(service, Failed, message);
            }

            Volatile.Write(ref _problems, [.. problems.Values.Select(told => told.Problem)]);
        }

        ProblemsChanged?.Invoke();
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            foreach (var (port, _) in _open.Values)
                port.Dispose();
            _open.Clear();
        }
    }

    private bool Learn(Service service)
    {
        if (_claims.TryGetValue(service.Name, out var known) && known.IsFor(service))
            return false;

        _claims[service.Name] = new Claim(service);
        return true;
    }

    private Dictionary<IPEndPoint, Claim> Wanted(SortedDictionary<(ObjectName, string), (Problem Problem, string Event)> problems)
    {
        var wanted = new Dictionary<IPEndPoint, Claim>();
        if (_isDisposed || _claims.Count == 0)
            return wanted;

        var addresses = nodePortAddresses() ?? [.. Families.Select(Address.Any)];
        foreach (var port in _claims.Values.GroupBy(claim => claim.Port))
        {
            var claims = port.OrderBy(claim => claim.CreatedAt ?? DateTimeOffset.MaxValue).ThenBy(claim => claim.Service).ToArray();
            foreach (var address in addresses.Where(address => claims[0].Has(address.Family)))
                wanted[new IPEndPoint(address.ToIPAddress(), port.Key)] = claims[0];
            foreach (var loser in claims[1..])
                Tell(problems, loser, "", $"{claims[0].Service} has the port, being older or, of the same age, first by name");
        }

        return wanted;
    }

    private void Open(
        IPEndPoint endPoint, Claim claim, SortedDictionary<(ObjectName, string), (Problem Problem, string Event)> problems)
    {
        // On a node without IPv6 nobody asks there.
        if (endPoint.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 && !Socket.OSSupportsIPv6)
            return;

        try
        {
            var family = Address.From(endPoint.Address).Family;
            _open[endPoint] = (server.Open(endPoint, _ => claim.Answer(family, isHealthy()), bothFamilies: false), claim);
        }
        catch (SocketException exception)
        {
            Tell(problems, claim, endPoint.ToString(), $"listen at {endPoint}: {exception.Message}");
        }
    }

    private void Tell(
        SortedDictionary<(ObjectName, string), (Problem Problem, string Event)> problems, Claim claim, string where, string cause) =>
        problems[(claim.Service, where)] = (
            new Problem(
                claim.Service.ToString(),
                $"The healthCheckNodePort {claim.Port} of {claim.Service} is not served: {cause}. Load balancers take this node for one "
                + "without endpoints of the service. It is tried again; free the port, or give the service another one."),
            $"node {nodeName} failed to start healthcheck \"{claim.Service}\" on port {claim.Port}: {cause}");

    private sealed class Claim(Service service)
    {
        private volatile int _readyV4;
        private volatile int _readyV6;

        public ObjectName Service => service.Name;

        public ushort Port => service.HealthCheckNodePort;

        public DateTimeOffset? CreatedAt => service.CreatedAt;

        public bool IsFor(Service other) => Port == other.HealthCheckNodePort && CreatedAt == other.CreatedAt && service.Uid == other.Uid
            && Families.All(family => Has(family) == Has(other, family));

        public bool Has(AddressFamily family) => Has(service, family);

        public void Count(ReadOnlySpan<EndpointSlice> slices, string nodeName)
        {
            _readyV4 = LocalEndpoints.CountReady(slices, nodeName, AddressFamily.IPv4);
            _readyV6 = LocalEndpoints.CountReady(slices, nodeName, AddressFamily.IPv6);
        }

        // Whatever the path: every load balancer asks for another one.
        public Answer Answer(AddressFamily family, bool isHealthy)
        {
            int ready = family == AddressFamily.IPv4 ? _readyV4 : _readyV6;
            return new Answer(ready != 0 && isHealthy ? 200 : 503, Serving.Answer.Json, Body(ready, isHealthy))
            {
                Header = ("X-Load-Balancing-Endpoint-Weight", ready.ToString(CultureInfo.InvariantCulture)),
            };
        }

        private static bool Has(Service service, AddressFamily family) => service.ClusterIPs.Any(address => address.Family == family);

        private byte[] Body(int ready, bool isHealthy)
        {
            var buffer = new ArrayBufferWriter<byte>();
            var layout = new JsonWriterOptions { Indented = true, IndentCharacter = '\t', IndentSize = 1, NewLine = "\n" };
            using (var json = new Utf8JsonWriter(buffer, layout))
            {
                json.WriteStartObject();
                json.WriteStartObject("service");
                json.WriteString("namespace", Service.Namespace);
                json.WriteString("name", Service.Name);
                json.WriteEndObject();
                json.WriteNumber("localEndpoints", ready);
                json.WriteBoolean("serviceProxyHealthy", isHealthy);
                json.WriteEndObject();
            }

            return buffer.WrittenSpan.ToArray();
        }
    }
}
