// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Live.Tests.Support;

/// <summary>
/// New connections, connections that stay and conversations of datagrams, all at once. None may fail or be reset, and what has a backend
/// keeps it.
/// </summary>
internal sealed class SteadyLoad : IAsyncDisposable
{
    private readonly StreamSet _fresh;
    private readonly StreamSet _bound;
    private readonly HeldConnections _held;
    private readonly int _connections;
    private readonly IReadOnlyDictionary<string, int> _before;

    private SteadyLoad(StreamSet fresh, StreamSet bound, HeldConnections held, int connections, IReadOnlyDictionary<string, int> before)
    {
        _fresh = fresh;
        _bound = bound;
        _held = held;
        _connections = connections;
        _before = before;
    }

    /// <summary>Of what has ended with <see cref="StopAsync(string[])"/>.</summary>
    public int Conversations { get; private set; }

    /// <param name="intervalMs">Between two new connections.</param>
    /// <param name="connections">TCP that stays.</param>
    /// <param name="sockets">That send datagrams each 20 ms.</param>
    /// <param name="timeoutMs">More than a second lets an opening be repeated.</param>
    public static async Task<SteadyLoad> StartAsync(
        Client client, Target target, int intervalMs = 5, int connections = 100, int sockets = 20, int timeoutMs = 1000)
    {
        var held = await client.HoldAsync(target, connections);
        // Two, so that one that waits does not stop the other.
        var fresh = new StreamSet(Enumerable.Range(0, 2)
            .Select(_ => client.Stream("tcp", target, 2 * intervalMs, "--timeout", $"{timeoutMs}")).ToArray());
        var bound = new StreamSet(
            Enumerable.Range(0, sockets).Select(_ => client.Stream("udp", target, intervalMs: 20, "--same-socket")).ToArray());
        var load = new SteadyLoad(fresh, bound, held, connections, (await held.CheckAsync()).Backends);
        await load.FlowAsync();
        return load;
    }

    /// <summary>Until each part has done something after this call, and nothing that stays was lost.</summary>
    public async Task FlowAsync()
    {
        await Task.WhenAll(_fresh.FlowAsync(), _bound.FlowAsync());
        var held = await _held.CheckAsync();
        Assert.Empty(held.Failures);
        Assert.Equal(_connections, held.Backends.Values.Sum());
        Assert.Equal(_before.OrderBy(Name, StringComparer.Ordinal), held.Backends.OrderBy(Name, StringComparer.Ordinal));
    }

    public Task StopAsync(params string[] backends) => StopAsync(lost: 0, backends);

    /// <param name="lost">Datagrams that may have been, of all sockets: nobody repeats them.</param>
    public async Task StopAsync(int lost, params string[] backends)
    {
        await FlowAsync();
        foreach (var report in await _fresh.StopAsync())
        {
            report.AssertAnsweredBy(backends);
            Conversations += report.Succeeded;
        }

        foreach (var report in await _bound.StopAsync())
        {
            Assert.Single(report.Backends);
            lost -= report.Failed;
            Conversations += report.Succeeded;
        }

        Assert.True(lost >= 0, $"{-lost} datagrams more than may be were lost");
    }

    public async ValueTask DisposeAsync()
    {
        await _fresh.DisposeAsync();
        await _bound.DisposeAsync();
        await _held.DisposeAsync();
    }

    private static string Name(KeyValuePair<string, int> backend) => backend.Key;
}
