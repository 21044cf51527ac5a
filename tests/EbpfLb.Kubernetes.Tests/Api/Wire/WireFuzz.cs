// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Api;
using EbpfLb.Kubernetes.Api.Wire;
using EbpfLb.Kubernetes.Tests.Manifests;

namespace EbpfLb.Kubernetes.Tests.Api.Wire;

/// <summary>What the reader promises whatever the bytes are. The suites of the encodings run side by side.</summary>
internal sealed class WireFuzz(string contentType, IReadOnlyList<byte[]> lists, IReadOnlyList<byte[]> watches, int seed)
{
    // The right bytes take a tenth of it.
    private const long AllocatedPerByte = 256;
    private const long AllocatedAnyway = 256 * 1024;

    private readonly Random _random = new(seed);
    private int _accepted;
    private int _refused;

    public async Task Run(int mutations)
    {
        for (int i = 0; i < mutations; i++)
        {
            bool isList = i % 2 == 0;
            var bases = isList ? lists : watches;
            byte[] source = bases[_random.Next(bases.Count)];
            byte[] content = i % 50 == 0 ? RandomBytes(source) : ManifestParserFuzz.Mutate(source, _random);
            try
            {
                await Check(content, isList);
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"Mutation {i} of seed {seed}: {Convert.ToBase64String(content)}", error);
            }
        }

        // A reader that refuses everything, or nothing, was not tested.
        Assert.True(_accepted > mutations / 20 && _refused > mutations / 20, $"{_accepted} accepted, {_refused} refused");
    }

    private async Task Check(byte[] content, bool isList)
    {
        var resource = _random.Next(8) == 0 ? ApiResource.Services : ApiResource.EndpointSlices;
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            if (isList)
                CheckList(await Wires.ReadList(content, contentType, resource));
            else
                (await Wires.ReadWatch(content, contentType, resource)).ForEach(CheckEvent);
            _accepted++;
        }
        catch (Exception error) when (error is WireException or IOException)
        {
            Assert.DoesNotContain(error.Message, char.IsControl);
            _refused++;
        }

        if (_random.Next(8) == 0)
            await Wires.ReadStatus(content, contentType, 500);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, AllocatedAnyway + (AllocatedPerByte * content.Length));
    }

    private static void CheckList(ListPage page)
    {
        Assert.All(page.Items, item => Assert.NotEmpty(item.Metadata!.Name!));
        Assert.All(page.Defects, defect => CheckDefect(defect.Message));
        Assert.All(page.Items.Where(item => item.Defect is not null), item => CheckDefect(item.Defect!));
    }

    private static void CheckEvent(WatchEvent told)
    {
        bool isChange = told.Type is WatchEventType.Added or WatchEventType.Modified or WatchEventType.Deleted;
        Assert.Equal(told.Type == WatchEventType.Error, told.Status is not null);
        Assert.True(isChange ? told.Object is not null != told.Defect is not null : told.Object is null);
        if (told.Defect is not null)
            CheckDefect(told.Defect.Message);
    }

    private static void CheckDefect(string defect)
    {
        Assert.DoesNotContain(defect, char.IsControl);
        Assert.InRange(defect.Length, 10, 8_000);
    }

    private byte[] RandomBytes(byte[] source)
    {
        byte[] bytes = new byte[_random.Next(200)];
        _random.NextBytes(bytes);
        source.AsSpan(0, Math.Min(_random.Next(60), Math.Min(bytes.Length, source.Length))).CopyTo(bytes);
        return bytes;
    }
}
