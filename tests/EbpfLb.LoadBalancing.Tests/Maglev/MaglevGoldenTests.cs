// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Maglev;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.Tests.Maglev;

/// <summary>Against the tables of Golden/maglev.json, which Golden/maglev.py computed.</summary>
public sealed class MaglevGoldenTests
{
    private static readonly Case[] Cases = Load();

    public static TheoryData<int> CaseNumbers => [.. Enumerable.Range(0, Cases.Length)];

    [Fact]
    public void S110_The_golden_tables_cover_both_families_both_protocols_several_sizes_and_another_seed()
    {
        Assert.Equal(2, Cases.Select(static golden => golden.Family).Distinct().Count());
        Assert.Equal(2, Cases.Select(static golden => golden.Protocol).Distinct().Count());
        Assert.Equal(2, Cases.Select(static golden => golden.Seed).Distinct().Count());
        Assert.Superset(new HashSet<int> { 251, 509, 1021, 2039, 16381, 32749 }, Cases.Select(static golden => golden.Size).ToHashSet());
        Assert.Superset(new HashSet<int> { 1, 3, 10, 160, 300 }, Cases.Select(static golden => golden.Backends.Length).ToHashSet());
    }

    [Theory]
    [MemberData(nameof(CaseNumbers))]
    public void S110_The_table_equals_one_computed_by_an_independent_program(int number)
    {
        var golden = Cases[number];
        var backends = golden.Backends.Select(static text => Parse(text)).ToArray();
        int[] table = MaglevTable.Build(backends, (Protocol)golden.Protocol, golden.Size, Convert.FromHexString(golden.Seed));

        // The file tells backends by their number in order of address and port.
        int[] turns = new int[backends.Length];
        foreach (var (turn, index) in Enumerable.Range(0, backends.Length)
            .OrderBy(index => backends[index].Address).ThenBy(index => backends[index].Port).Index())
            turns[index] = turn;
        int[] byTurn = [.. table.Select(index => turns[index])];

        Assert.Equal(golden.First, byTurn[..golden.First.Length]);
        if (golden.Table is not null)
            Assert.Equal(golden.Table, byTurn);
        Assert.Equal(golden.Sha256, Digest(byTurn));
    }

    private static string Digest(int[] table)
    {
        byte[] bytes = new byte[table.Length * sizeof(int)];
        for (int slot = 0; slot < table.Length; slot++)
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(slot * sizeof(int)), table[slot]);
        return Convert.ToHexStringLower(SHA256.HashData(bytes));
    }

    private static Backend Parse(string text)
    {
        var parsed = IPEndPoint.Parse(text);
        return new Backend(Address.From(parsed.Address), (ushort)parsed.Port, BackendFlags.InCluster);
    }

    private static Case[] Load()
    {
        using var stream = typeof(MaglevGoldenTests).Assembly.GetManifestResourceStream("maglev.json")!;
        return JsonSerializer.Deserialize<Case[]>(stream)!;
    }

    private sealed record Case(
        [property: JsonPropertyName("family")] int Family,
        [property: JsonPropertyName("protocol")] int Protocol,
        [property: JsonPropertyName("size")] int Size,
        [property: JsonPropertyName("seed")] string Seed,
        [property: JsonPropertyName("backends")] string[] Backends,
        [property: JsonPropertyName("sha256")] string Sha256,
        [property: JsonPropertyName("first")] int[] First,
        [property: JsonPropertyName("table")] int[]? Table);
}
