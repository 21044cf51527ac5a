// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Security.Cryptography;

namespace EbpfLb.Datapath.Loading;

/// <summary>A BPF object as it was built into this assembly.</summary>
internal sealed class EmbeddedObject
{
    private EmbeddedObject(string name, byte[] content)
    {
        Name = name;
        Content = content;
        Hash = Convert.ToHexStringLower(SHA256.HashData(content))[..16];
    }

    public static EmbeddedObject SocketLb { get; } = Read("lb_sock.bpf.o");

    public string Name { get; }

    public byte[] Content { get; }

    /// <summary>Tells one build of the programs from another.</summary>
    public string Hash { get; }

    private static EmbeddedObject Read(string name)
    {
        using var stream = typeof(EmbeddedObject).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The assembly was built without {name}.");
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return new EmbeddedObject(name, content);
    }
}
