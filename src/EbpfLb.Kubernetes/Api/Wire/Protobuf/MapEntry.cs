// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Frozen;
using System.Text;

namespace EbpfLb.Kubernetes.Api.Wire.Protobuf;

/// <summary>An entry of a map is a message of its own, of a key and a value, for which no class is generated.</summary>
internal readonly ref struct MapEntry
{
    private const int KeyFieldNumber = 1;
    private const int ValueFieldNumber = 2;

    private readonly ReadOnlySpan<byte> _key;

    private MapEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        _key = key;
        Value = value;
    }

    public ReadOnlySpan<byte> Value { get; }

    public bool IsInitialEventsEnd =>
        Ascii.Equals(_key, ResourceIdentity.InitialEventsEnd) && Value.SequenceEqual("true"u8);

    public static MapEntry Read(ReadOnlySpan<byte> message)
    {
        ReadOnlySpan<byte> key = default, value = default;
        for (var fields = new ProtoReader(message); fields.Read();)
        {
            switch (fields.Field)
            {
                case KeyFieldNumber:
                    key = fields.Bytes;
                    break;
                case ValueFieldNumber:
                    value = fields.Bytes;
                    break;
            }
        }

        return new MapEntry(key, value);
    }

    /// <returns>The text of the set that the key is; null when it is none.</returns>
    public string? KeyIn(FrozenSet<string> texts)
    {
        if (_key.Length > SharedText.MaxBytes)
            return null;

        Span<char> text = stackalloc char[SharedText.MaxBytes];
        int length = Encoding.UTF8.GetChars(_key, text);
        return texts.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(text[..length], out string? found) ? found : null;
    }
}
