// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Live.Tests.Support;

/// <summary>Several streams at once.</summary>
internal sealed class StreamSet(IEnumerable<TrafficStream> streams) : IAsyncDisposable
{
    private readonly TrafficStream[] _streams = [.. streams];

    /// <inheritdoc cref="TrafficStream.FlowAsync"/>
    public Task FlowAsync() => Task.WhenAll(_streams.Select(stream => stream.FlowAsync()));

    public Task<ProbeReport[]> StopAsync() => Task.WhenAll(_streams.Select(stream => stream.StopAsync()));

    public async ValueTask DisposeAsync()
    {
        foreach (var stream in _streams)
            await stream.DisposeAsync();
    }
}
