// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Live.Tests.Support;

/// <summary>Every pinned link, those on devices included, by the name of its pin.</summary>
internal sealed record InstalledLinks(IReadOnlyDictionary<string, BpfLinkInfo> ByPin)
{
    public static InstalledLinks Read(string pins) => new(Directory.GetFiles(Path.Combine(pins, "links")).ToDictionary(
        pin => Path.GetFileName(pin),
        pin =>
        {
            using var link = BpfLink.OpenPinned(pin);
            return link.Info;
        }));

    public IEnumerable<(string Pin, uint Id)> Ids => ByPin.OrderBy(link => link.Key, StringComparer.Ordinal).Select(link => (link.Key, link.Value.Id));

    /// <summary>The links are the same, and each has another program.</summary>
    public void AssertReplacedIn(InstalledLinks later)
    {
        Assert.Equal(Ids, later.Ids);
        Assert.All(ByPin, link => Assert.NotEqual(link.Value.ProgramId, later.ByPin[link.Key].ProgramId));
    }
}
