// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using EbpfLb.Kubernetes.Api;
using EbpfLb.Kubernetes.Api.Wire;
using Messages = EbpfLb.Kubernetes.Api.Wire.Messages;

namespace EbpfLb.Kubernetes.Tests.Api.Wire;

/// <summary>Where the network cuts a stream means nothing; where it ends does.</summary>
public sealed class WatchFramingTests
{
    public static TheoryData<string, string> Watches => new()
    {
        { "endpointslices-watch.pb", Recordings.ProtobufWatch },
        { "endpointslices-watch.json", Recordings.Json },
    };

    [Theory]
    [MemberData(nameof(Watches))]
    public async Task S149_A_cut_anywhere_changes_nothing(string name, string contentType)
    {
        byte[] body = Begin(name);
        string whole = Recordings.Describe(await Wires.ReadWatch(body, contentType, ApiResource.EndpointSlices));

        for (int cut = 1; cut < body.Length; cut++)
        {
            var told = await Wires.ReadWatch(ChunkedStream.CutAt(body, cut), contentType, ApiResource.EndpointSlices);
            Assert.Equal(whole, Recordings.Describe(told));
        }
    }

    [Theory]
    [MemberData(nameof(Watches))]
    public async Task S149_A_trickle_of_single_bytes_changes_nothing(string name, string contentType)
    {
        byte[] body = Begin(name);

        var told = await Wires.ReadWatch(ChunkedStream.OfPieces(body, 1), contentType, ApiResource.EndpointSlices);

        Assert.Equal(Recordings.Describe(await Wires.ReadWatch(body, contentType, ApiResource.EndpointSlices)), Recordings.Describe(told));
    }

    [Theory]
    [MemberData(nameof(Watches))]
    public async Task S149_An_end_within_an_event_is_an_error_after_the_whole_events_and_an_end_between_two_is_none(
        string name, string contentType)
    {
        byte[] body = Begin(name);
        var whole = await Wires.ReadWatch(body, contentType, ApiResource.EndpointSlices);
        int ends = 0;

        for (int length = 0; length < body.Length; length++)
        {
            var told = new List<WatchEvent>();
            bool ended = await Read(body[..length], contentType, told);
            ends += ended ? 1 : 0;
            Assert.Equal(Recordings.Describe(whole.Take(told.Count)), Recordings.Describe(told));
            Assert.True(!ended || told.Count == ends - 1, $"cut at {length}");
        }

        Assert.Equal(whole.Count, ends);
    }

    [Fact]
    public async Task S149_Empty_lines_and_carriage_returns_are_no_events()
    {
        string body = "\n\r\n  \n" + Line("ADDED", "1") + "\n\r\n" + Line("DELETED", "2").TrimEnd('\n') + "\r\n\n";

        var told = await Wires.ReadWatch(Encoding.UTF8.GetBytes(body), Recordings.Json, ApiResource.EndpointSlices);

        Assert.Equal([(WatchEventType.Added, "1"), (WatchEventType.Deleted, "2")], told.Select(item => (item.Type, item.ResourceVersion!)));
    }

    [Fact]
    public async Task S149_A_line_of_ten_megabytes_and_the_one_behind_it_are_events()
    {
        string body = Line("ADDED", "1", new string('x', 10_000_000)) + Line("MODIFIED", "2");

        var told = await Wires.ReadWatch(
            ChunkedStream.OfPieces(Encoding.UTF8.GetBytes(body), 70_001), Recordings.Json, ApiResource.EndpointSlices);

        Assert.Equal(["1", "2"], told.Select(item => item.ResourceVersion!));
        Assert.All(told, item => Assert.NotNull(item.Object));
    }

    [Fact]
    public async Task S149_A_cut_within_a_character_changes_nothing()
    {
        byte[] body = Encoding.UTF8.GetBytes(Line("ADDED", "1", "é€😀"));
        for (int cut = 1; cut < body.Length; cut++)
        {
            var told = await Wires.ReadWatch(ChunkedStream.CutAt(body, cut), Recordings.Json, ApiResource.EndpointSlices);
            Assert.Equal("web-1", Assert.Single(told).Object!.Slice!.Metadata!.Name);
        }
    }

    [Fact]
    public async Task Large_and_small_events_follow_each_other()
    {
        var large = new Messages.EndpointSlice { Metadata = new Messages.ObjectMeta { Name = "large", Namespace = "default" } };
        for (int i = 0; i < 1_000; i++)
            large.Endpoints.Add(new Messages.Endpoint { Addresses = { $"10.0.{i / 250}.{i % 250}" }, NodeName = new string('n', 2_000) });
        var small = new Messages.EndpointSlice { Metadata = new Messages.ObjectMeta { Name = "small", Namespace = "default" } };
        byte[] body =
        [
            .. Wires.SliceFrame("ADDED", small), .. Wires.SliceFrame("ADDED", large), .. Wires.SliceFrame("MODIFIED", small),
            .. Wires.SliceFrame("MODIFIED", large), .. Wires.SliceFrame("DELETED", small),
        ];

        var told = await Wires.ReadWatch(ChunkedStream.OfPieces(body, 10_007), Recordings.ProtobufWatch, ApiResource.EndpointSlices);

        Assert.Equal(["small", "large", "small", "large", "small"], told.Select(item => item.Object!.Slice!.Metadata!.Name!));
        Assert.Equal(1_000, told[3].Object!.Slice!.Endpoints!.Count);
    }

    [Fact]
    public async Task A_watch_that_is_stopped_ends_with_the_cancellation()
    {
        using var stopping = new CancellationTokenSource();
        var endless = new ChunkedStream(Wires.SliceFrame("ADDED", Slice("web-1")), position => position + 64);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in WireReader.ReadWatchAsync(
                new NeverEnding(endless), Recordings.ProtobufWatch, ApiResource.EndpointSlices, stopping.Token))
                await stopping.CancelAsync();
        });
    }

    /// <summary>The first events of a recording: each byte of them is a place to cut.</summary>
    private static byte[] Begin(string name)
    {
        byte[] body = Recordings.Read(name);
        return name.EndsWith(".json", StringComparison.Ordinal) ? body[..(body.AsSpan(2_000).IndexOf((byte)'\n') + 2_001)] : body;
    }

    private static Messages.EndpointSlice Slice(string name) => new() { Metadata = new Messages.ObjectMeta { Name = name } };

    private static string Line(string type, string version, string annotation = "") =>
        $$"""{"type":"{{type}}","object":{"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{"name":"web-1","""
        + $$""" "resourceVersion":"{{version}}","annotations":{"a":"{{annotation}}"}""" + "}}}\n";

    /// <returns>False when the stream ended within an event.</returns>
    private static async Task<bool> Read(byte[] body, string contentType, List<WatchEvent> told)
    {
        using var stream = new MemoryStream(body);
        try
        {
            await foreach (var item in WireReader.ReadWatchAsync(stream, contentType, ApiResource.EndpointSlices, CancellationToken.None))
                told.Add(item);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>A server that has nothing to say for now: reading waits for the cancellation.</summary>
    private sealed class NeverEnding(ChunkedStream inner) : MemoryStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int count = await inner.ReadAsync(buffer, cancellationToken);
            if (count == 0)
                await Task.Delay(Timeout.Infinite, cancellationToken);
            return count;
        }
    }
}
