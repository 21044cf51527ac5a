// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json;

namespace EbpfLb.Kubernetes.Api.Wire.Json;

/// <summary>
/// The members of an object, or the items of an array, as pieces of the text: nothing is decoded, so that one piece that nobody can
/// use does not spoil the others, and no depth of nesting matters.
/// </summary>
internal ref struct JsonSlices
{
    private readonly ReadOnlyMemory<byte> _text;
    private Utf8JsonReader _reader;

    /// <exception cref="WireException">The text does not begin with an object or an array.</exception>
    public JsonSlices(ReadOnlyMemory<byte> text)
    {
        _text = text;
        _reader = new Utf8JsonReader(text.Span, new JsonReaderOptions { MaxDepth = int.MaxValue });
        if (!Advance() || _reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
            throw new WireException("JSON of the API is an object");

        IsObject = _reader.TokenType == JsonTokenType.StartObject;
    }

    public bool IsObject { get; }

    /// <summary>Of a member: <c>kind</c>. Empty for any name that is not plain ASCII.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    public ReadOnlyMemory<byte> Value { get; private set; }

    /// <summary>Nothing also for null, which the API takes for absent.</summary>
    public readonly ReadOnlyMemory<byte> ValueOrNothing => Value.Span.SequenceEqual("null"u8) ? default : Value;

    /// <returns>False at the end, behind which nothing stands.</returns>
    /// <exception cref="WireException">The text is no JSON.</exception>
    public bool Read()
    {
        Advance();
        if (_reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray)
        {
            Advance();
            return false;
        }

        if (IsObject)
        {
            Name = _reader.ValueIsEscaped ? default : _reader.ValueSpan;
            Advance();
        }

        int start = (int)_reader.TokenStartIndex;
        Skip();
        Value = _text[start..(int)_reader.BytesConsumed];
        return true;
    }

    private bool Advance()
    {
        try
        {
            return _reader.Read();
        }
        catch (JsonException error)
        {
            throw NoJson(error);
        }
    }

    private void Skip()
    {
        try
        {
            _reader.Skip();
        }
        catch (JsonException error)
        {
            throw NoJson(error);
        }
    }

    private static WireException NoJson(JsonException error) =>
        new($"not valid JSON, at line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}", error);
}
