// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Security.Cryptography;

namespace EbpfLb.Datapath.Loading;

/// <summary>A BPF object as it was built into this assembly.</summary>
internal sealed class EmbeddedObject
{
    private EmbeddedObject(string name, IReadOnlyList<string> programs)
    {
        Name = name;
        Programs = programs;
        using var stream = typeof(EmbeddedObject).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The assembly was built without {name}.");
        Content = new byte[stream.Length];
        stream.ReadExactly(Content);
    }

    /// <summary>The first makes the maps: it declares every one of the contract, as they all do.</summary>
    public static IReadOnlyList<EmbeddedObject> All { get; } =
    [
        new("lb_sock.bpf.o", [.. SocketHook.All.Select(hook => hook.Program)]),
        new("lb_xdp.bpf.o", [ProgramNames.XdpIngress]),
        new("lb_tc.bpf.o", [ProgramNames.TcIngress, ProgramNames.TcEgress, ProgramNames.TcPod]),
        new("lb_sweep.bpf.o", [ProgramNames.ConntrackSweep]),
        // Takes a kernel with BTF of its own, which nothing else does.
        new("lb_sock_iter.bpf.o", [ProgramNames.DeadSockets]) { IsOptional = true },
    ];

    public string Name { get; }

    public byte[] Content { get; }

    /// <summary>Whether the datapath works without its programs, on kernels that do not take them.</summary>
    public bool IsOptional { get; private init; }

    /// <summary>Pinned under their names; no two objects have one of the same name.</summary>
    public IReadOnlyList<string> Programs { get; }

    /// <summary>Tells the programs of this build over these maps from every other build, and from its own over other maps.</summary>
    /// <param name="mapIds">In the order of <see cref="Maps.MapNames.All"/>.</param>
    public static string HashWith(IEnumerable<uint> mapIds)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var one in All)
            hash.AppendData(SHA256.HashData(one.Content));
        foreach (uint id in mapIds)
            hash.AppendData(BitConverter.GetBytes(id));
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }
}
