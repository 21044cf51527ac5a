// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Net.Sockets;
using EbpfLb.Datapath.Inspection;
using EbpfLb.FakeApi;
using EbpfLb.FakeApi.Builders;
using EbpfLb.FakeApi.Security;
using EbpfLb.FakeApi.Store;
using EbpfLb.Linux.Processes;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using static EbpfLb.FakeApi.Builders.Objects;

namespace EbpfLb.Live.Tests.Support;

/// <summary>A node whose agent follows an API server, which is reached over the fabric.</summary>
public class ApiNode : OuterNode
{
    internal const string Name = "n1";
    internal const string HomeZone = "z1";

    private const string ServerAddress = "10.10.0.254";
    private const string User = "agent";

    private NetworkNamespace? _fabric;
    private FakeApiServer? _server;
    private HttpClient? _outside;
    private int _services;
    private int _tokens;

    public ApiNode()
        : this([])
    {
    }

    // The limit of nf_conntrack is the whole machine's.
    private protected ApiNode(params string[] options)
        : base(["--conntrack-max-per-core", "0", .. options])
    {
    }

    internal FakeApiServer Server => _server ?? throw new InvalidOperationException("not started");

    internal ObjectStore Store => Server.Store;

    internal string Kubeconfig => Path.Combine(Playground.Directory, "kubeconfig");

    /// <summary>As the server has it before each test.</summary>
    internal static NodeBuilder HomeNode => Node(Name).Zone(HomeZone).Address(FirstV4).Address(FirstV6)
        .PodCidr("10.244.1.0/24", "fd00:10:244:1::/64");

    private string TokenFile => Path.Combine(Playground.Directory, "token");

    internal ApiService NewApiService() => new(this, Interlocked.Increment(ref _services));

    /// <summary>The agent's token is another one now, and the server does not take the one before.</summary>
    internal void RotateToken()
    {
        string before = $"token-{_tokens}";
        string token = $"token-{++_tokens}";
        Server.Access.AddToken(token, User);
        string hidden = TokenFile + ".new";
        File.WriteAllText(hidden, token);
        File.SetUnixFileMode(hidden, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.Move(hidden, TokenFile, overwrite: true);
        Server.Access.RemoveToken(before);
    }

    /// <summary>What the agent may do.</summary>
    internal void Allow(params Grant[] grants) => Server.Access.Allow(User, grants);

    internal Task MapsAsync(Func<DatapathSnapshot, bool> condition, string what) =>
        Eventually.True(() => condition(Agent.ReadSnapshot()), what);

    /// <summary>Until the maps have whatever the server was told before.</summary>
    internal async Task SettleAsync()
    {
        var last = NewApiService();
        last.Put(P22);
        await last.ServedByAsync(P22);
        last.Delete();
        await last.GoneAsync();
    }

    /// <summary>Until the status shows a problem of an object with all these words.</summary>
    internal Task ProblemAsync(string subject, params string[] words) => Eventually.True(
        () => Agent.ReadStatus().Problems.Any(problem => problem.Object.Contains(subject, StringComparison.Ordinal)
            && words.All(word => problem.Message.Contains(word, StringComparison.Ordinal))),
        $"a problem of {subject} with {string.Join(", ", words)}");

    /// <summary>Until there is an Event of a service.</summary>
    internal Task EventAsync(string reason, string service, string type = "Warning") => Eventually.True(
        () => Store.Snapshot(ResourceType.NewEvents).Items.Values.Any(item => item.Field("reason") == reason
            && item.Field("regarding.name") == service && item.Field("type") == type),
        $"an Event {reason} of {service}");

    /// <summary>What the node's own address answers to a client on the fabric. Null: the connection is refused, or ended as the port closes.</summary>
    internal async Task<HttpAnswer?> GetAsync(int port, string path, string host = FirstV4)
    {
        try
        {
            using var response = await _outside!.GetAsync($"http://{host}:{port}{path}", Eventually.Timeout());
            return new HttpAnswer(
                (int)response.StatusCode, response.Headers.ToDictionary(header => header.Key, header => string.Join(',', header.Value)),
                await response.Content.ReadAsStringAsync());
        }
        catch (HttpRequestException exception) when (exception.InnerException is SocketException
        {
            SocketErrorCode: SocketError.ConnectionRefused,
        } or IOException { InnerException: SocketException { SocketErrorCode: SocketError.ConnectionReset } })
        {
            return null;
        }
    }

    internal async Task<int?> HealthzAsync() => (await GetAsync(10256, "/healthz"))?.Status;

    internal async Task HealthzIsAsync(int status)
    {
        var deadline = Eventually.Timeout();
        while (await HealthzAsync() is var now && now != status)
        {
            Assert.False(deadline.IsCancellationRequested, $"/healthz says {now}, not {status}");
            await Task.Delay(20);
        }
    }

    /// <summary>The server and the maps as they were before the first test.</summary>
    internal async Task ResetAsync()
    {
        Server.Faults.Clear();
        ResourceType[] types = [ResourceType.Services, ResourceType.EndpointSlices, ResourceType.ServiceCidrs, ResourceType.NewEvents];
        foreach (var type in types)
        {
            foreach (var item in Store.Snapshot(type).Items.Values)
                Store.Delete(type, item.Namespace, item.Name);
        }

        Store.Put(HomeNode);
        await MapsAsync(maps => maps is
        {
            Services.Count: 0, Frontends.Count: 0, Backends.Count: 0, Inconsistencies.Count: 0,
        }, "nothing is left in the maps");
    }

    private protected override async Task<LiveAgent> CreateAgentAsync(IReadOnlyList<string> options)
    {
        _fabric = NetworkNamespace.Open(Outside.NetworkNamespace);
        Keep(new Undo(() =>
        {
            _outside?.Dispose();
            _fabric.Dispose();
            return Task.CompletedTask;
        }));
        _outside = new HttpClient(new SocketsHttpHandler { ConnectCallback = ConnectAsync, PooledConnectionLifetime = TimeSpan.Zero });
        _server = await FakeApiServer.StartAsync(new FakeApiOptions
        {
            Listen = new IPEndPoint(IPAddress.Parse(ServerAddress), 0),
            Names = [ServerAddress],
            Tls = true,
            Bind = endpoint => _fabric.Run(() => SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint)),
        });
        Keep(_server);
        Allow(Grant.Everything);
        RotateToken();
        (_server.Kubeconfig with { TokenFile = TokenFile }).Write(Kubeconfig);
        Store.Put(HomeNode);
        return new LiveAgent(Playground.BpfFs, Playground.Cgroup, manifests: null, options)
        {
            Kubeconfig = Kubeconfig,
            NetworkNamespace = Host.NetworkNamespace,
        };
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var socket = _fabric!.Run(() => new Socket(SocketType.Stream, ProtocolType.Tcp));
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
