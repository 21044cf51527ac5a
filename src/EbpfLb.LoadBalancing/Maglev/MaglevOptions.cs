// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.Maglev;

/// <summary>Must be the same on all nodes, or they choose different backends for one client.</summary>
public sealed record MaglevOptions
{
    public const int SeedLength = 16;

    /// <summary>The ASCII bytes of "EbpfLb Maglev v1". Fixed for ever: another default would move clients at an upgrade.</summary>
    public static EquatableArray<byte> DefaultSeed { get; } = EquatableArray.Create("EbpfLb Maglev v1"u8);

    /// <summary>Slots of a table whose service asks for no size; 0 lets the number of backends decide.</summary>
    public int TableSize { get; init; }

    public EquatableArray<byte> Seed { get; init; } = DefaultSeed;

    /// <summary>What is wrong, one sentence each; empty when nothing is.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (TableSize != 0 && !MaglevSize.IsAllowed(TableSize))
        {
            errors.Add(
                $"The Maglev table size {TableSize} is not allowed. Use one of {MaglevSize.AllowedText}, "
                + "or 0 to let the number of backends decide.");
        }

        if (Seed.Count != SeedLength)
        {
            string value = Seed.IsEmpty ? "an empty seed" : $"'{Convert.ToHexStringLower(Seed.AsSpan())}'";
            errors.Add($"The Maglev seed has {SeedLength} bytes ({2 * SeedLength} hex digits); {value} has {Seed.Count}.");
        }

        return errors;
    }
}
