// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Bench.Packets;

/// <summary>Something that frames are sent through.</summary>
/// <param name="Expected">Destination, ADDRESS/BITS, of a frame that got through as it should.</param>
internal sealed record Contestant(string Name, Pair Pair, Flows Flows, string Expected)
{
    private const int FramesToVerify = 4;
    private const int Tries = 5;
    private const double MostLost = 0.002;

    /// <summary>In the order of the rounds.</summary>
    public List<Sent> Rounds { get; } = [];

    /// <summary>True where frames are dropped by right: new flows for which there is no room.</summary>
    public bool MayLose { get; init; }

    /// <summary>Begins the flows, and looks at every frame that gets through.</summary>
    public void Verify(CancellationToken stopping)
    {
        var sent = Pair.Verify(Flows, Expected, Math.Max(Flows.Count, 1000) * FramesToVerify, stopping);
        if (sent.WrongSums > 0 || (sent.Lost > 0 && !MayLose) || sent.Expected == 0)
        {
            throw new BenchException(
                $"{Name}: of {sent.Count} frames {sent.Expected} came as expected, {sent.Others} otherwise, "
                + $"{sent.WrongSums} with wrong checksums");
        }
    }

    /// <summary>
    /// On a busy machine the receiver's poll may come too late for a ring of 256 frames. What a sender loses there it has made for nothing,
    /// so such a run says nothing.
    /// </summary>
    public void Run(double seconds, CancellationToken stopping)
    {
        for (int tries = 0; tries < Tries; tries++)
        {
            var sent = Pair.Send(Flows, Expected, seconds, stopping);
            if (MayLose || sent.Lost <= MostLost)
            {
                Rounds.Add(sent);
                return;
            }
        }

        throw new BenchException($"{Name}: frames were lost in each of {Tries} runs; something else needs the processor too much");
    }
}
