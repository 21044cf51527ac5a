// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using System.Security.Cryptography;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.Maglev;

/// <summary>
/// The lookup table of Maglev hashing: every backend walks the slots in a permutation of its own, and the backends take turns to claim
/// the next free one. Depends on nothing but its arguments, so every node and every start builds the same one.
/// </summary>
public static class MaglevTable
{
    private const int Free = -1;

    /// <summary>For each slot the index in <paramref name="backends"/>; no slots when there are no backends.</summary>
    /// <param name="backends">The members of one list, in any order. Of copies of one address and port the first counts.</param>
    /// <param name="protocol">Part of the hash: TCP and UDP of one port are not bound to fail together.</param>
    /// <param name="size">One of <see cref="MaglevSize.Allowed"/>. With fewer slots than backends those with the lowest addresses get one
    /// each and the others none.</param>
    /// <param name="seed"><see cref="MaglevOptions.SeedLength"/> bytes.</param>
    public static int[] Build(ReadOnlySpan<Backend> backends, Protocol protocol, int size, ReadOnlySpan<byte> seed)
    {
        if (backends.IsEmpty)
            return [];

        int[] table = new int[size];
        Fill(table, backends, protocol, seed);
        return table;
    }

    /// <summary>Like <see cref="Build"/>, into memory of the caller, whose length is the size.</summary>
    public static void Fill(Span<int> table, ReadOnlySpan<Backend> backends, Protocol protocol, ReadOnlySpan<byte> seed)
    {
        if (!MaglevSize.IsAllowed(table.Length))
            throw new ArgumentException(
                $"A Maglev table cannot have {table.Length} slots. Allowed: {MaglevSize.AllowedText}.", nameof(table));

        if (seed.Length != MaglevOptions.SeedLength)
            throw new ArgumentException($"A Maglev seed has {MaglevOptions.SeedLength} bytes, not {seed.Length}.", nameof(seed));

        if (backends.IsEmpty)
            throw new ArgumentException("A Maglev table needs a backend.", nameof(backends));

        var turns = TurnsOf(backends, protocol, table.Length, seed);
        table.Fill(Free);
        for (int taken = 0; ;)
        {
            foreach (ref var turn in turns)
            {
                while (table[turn.Next] != Free)
                    turn.Step(table.Length);

                table[turn.Next] = turn.Backend;
                if (++taken == table.Length)
                    return;
            }
        }
    }

    // In order of address and port, not of the input.
    private static Span<Turn> TurnsOf(ReadOnlySpan<Backend> backends, Protocol protocol, int size, ReadOnlySpan<byte> seed)
    {
        var order = new (Address Address, ushort Port, int Index)[backends.Length];
        for (int i = 0; i < backends.Length; i++)
            order[i] = (backends[i].Address, backends[i].Port, i);
        order.AsSpan().Sort();

        // seed | address | port | protocol
        const int PortAt = MaglevOptions.SeedLength + 16;
        const int ProtocolAt = PortAt + 2;
        Span<byte> input = stackalloc byte[ProtocolAt + 1];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        seed.CopyTo(input);
        input[ProtocolAt] = (byte)protocol;

        var turns = new Turn[backends.Length];
        int count = 0;
        for (int i = 0; i < order.Length; i++)
        {
            var (address, port, index) = order[i];
            if (i > 0 && order[i - 1].Port == port && order[i - 1].Address == address)
                continue;

            address.CopyTo(input[MaglevOptions.SeedLength..]);
            BinaryPrimitives.WriteUInt16BigEndian(input[PortAt..], port);
            SHA256.HashData(input, hash);
            turns[count++] = new Turn(
                backend: index,
                offset: (int)(BinaryPrimitives.ReadUInt64BigEndian(hash) % (uint)size),
                skip: (int)(BinaryPrimitives.ReadUInt64BigEndian(hash[8..]) % (uint)(size - 1)) + 1);
        }

        return turns.AsSpan(0, count);
    }

    private struct Turn(int backend, int offset, int skip)
    {
        public readonly int Backend = backend;

        /// <summary>The slot it tries next.</summary>
        public int Next = offset;

        private readonly int _skip = skip;

        public void Step(int size)
        {
            Next += _skip;
            if (Next >= size)
                Next -= size;
        }
    }
}
