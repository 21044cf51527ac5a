// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using EbpfLb.Cli.Output;
using EbpfLb.Datapath.Inspection;

namespace EbpfLb.Cli.Commands;

internal sealed class MapsCommand : ReaderCommand
{
    private const string Help =
        """
        A hash or lpm_trie map that is full takes no further entry: 'ebpflb status' names what it refused. An lru_hash map makes
        room by itself.
        A running agent gives a map that fills room for twice as much, unless 'ebpflb agent --map-size NAME=ENTRIES' chose its size.

        Examples:
          ebpflb maps
          ebpflb maps -o wide                       what each is for
          bpftool map dump pinned $(ebpflb maps -o json | jq -r '.[] | select(.name == "services_v1") | .pinPath')

        JSON (an array of objects with these keys; yaml has the same):
          name, id, type, keySize, valueSize (bytes), maxEntries, usedEntries (null: nothing that fills up),
          fill (0 to 1, or null), memoryBytes (null: the kernel does not say), pinPath, meaning
        """;

    public MapsCommand(Terminal terminal)
        : base(terminal, "maps", "The maps of the datapath: their sizes, how full they are, what they cost.", Help, hasWide: true)
    {
    }

    /// <summary>Those of <see cref="MapView"/> that both this command and the status show.</summary>
    internal static IReadOnlyList<Column<MapView>> FillColumns { get; } =
    [
        new("MAP", map => map.Name),
        new("USED", map => map.Used?.ToString(CultureInfo.InvariantCulture) ?? "-"),
        new("MAX", map => Number(map.MaxEntries)),
        new("FILL", map => map.Fill is { } fill ? Units.OfShare(fill) : "-"),
    ];

    internal static JsonObject ToJson(MapView map) => new()
    {
        ["name"] = map.Name,
        ["id"] = map.Id,
        ["type"] = map.Type,
        ["keySize"] = map.KeySize,
        ["valueSize"] = map.ValueSize,
        ["maxEntries"] = map.MaxEntries,
        ["usedEntries"] = map.Used,
        ["fill"] = map.Fill is { } fill ? Math.Round(fill, 4) : null,
        ["memoryBytes"] = map.MemoryBytes,
        ["pinPath"] = map.PinPath,
        ["meaning"] = map.Meaning,
    };

    protected override Report Read(ParseResult result, string? bpffs)
    {
        using var inspector = DatapathInspector.Open(bpffs);
        return new ListReport<MapView>(
            "maps", inspector.ReadMaps(), ToJson,
            [
                .. FillColumns.Take(1),
                new("ID", map => Number(map.Id)),
                new("TYPE", map => map.Type),
                new("KEY/VALUE", map => $"{map.KeySize}/{map.ValueSize}B"),
                .. FillColumns.Skip(1),
                new("MEMORY", map => map.MemoryBytes is { } bytes ? Units.OfBytes(bytes) : "-"),
                new("PIN", map => map.PinPath),
                new("MEANING", map => map.Meaning, OnlyWide: true),
            ]);
    }

    private static string Number(uint value) => value.ToString(CultureInfo.InvariantCulture);
}
