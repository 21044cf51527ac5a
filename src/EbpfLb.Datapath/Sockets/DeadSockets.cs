// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Sockets;

/// <summary>
/// Ends sockets that would be silent blackholes: their owners are told ECONNABORTED, and reach a present backend when they connect again.
/// </summary>
/// <param name="list">Lists those that are to be ended, in every network namespace.</param>
/// <param name="end">Ends some; see <see cref="DeadSocketEnder"/>.</param>
public sealed class DeadSockets(
    Func<IReadOnlyList<DeadSocketValue>> list,
    Func<IReadOnlyCollection<DeadSocketValue>, IReadOnlyDictionary<ulong, DeadSocketObstacle>> end)
{
    // A long list is read in steps, and sockets that go meanwhile hide others from it; of two sockets with the same ends only one is found
    // at a time.
    private const int MaxRounds = 4;

    public DeadSocketsResult Run()
    {
        int ended = 0, ofTcp = 0;
        var obstacles = new Dictionary<ulong, DeadSocketObstacle>();
        var dead = list();
        for (int round = 0; round < MaxRounds && dead.Where(IsWorthATry).ToArray() is { Length: > 0 } worth; round++)
        {
            var refused = end(worth);
            ended += worth.Length - refused.Count;
            ofTcp += worth.Count(socket => socket.Protocol == Protocol.Tcp && !refused.ContainsKey(socket.Cookie));
            foreach ((ulong cookie, var obstacle) in refused)
                obstacles[cookie] = obstacle;
            dead = list();
        }

        // Who closed his socket meanwhile was not found either.
        var left = dead.Where(socket => obstacles.ContainsKey(socket.Cookie)).GroupBy(socket => obstacles[socket.Cookie]);
        return new DeadSocketsResult(
            ended,
            [
                .. left.Select(part => new DeadSocketsResult.Part(part.Key, part.Count(), part.DistinctBy(socket => socket.Netns).Count()))
                    .OrderBy(part => part.Obstacle),
            ])
        {
            OfTcp = ofTcp,
        };

        bool IsWorthATry(DeadSocketValue socket) =>
            !obstacles.TryGetValue(socket.Cookie, out var obstacle) || obstacle == DeadSocketObstacle.NotFound;
    }
}
