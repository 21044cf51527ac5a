// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using System.Text.Json;

namespace EbpfLb.Kubernetes.Manifests.Tree;

/// <summary>JSON, one or several values one after the other, each a document.</summary>
internal sealed class JsonEventReader : EventReader
{
    private readonly ReadOnlyMemory<byte> _content;
    private JsonReaderState _state;
    private int _consumed;
    private bool _insideDocument;
    private bool _documentEnds;
    private int _lineStart;
    private int _counted;

    public JsonEventReader(ReadOnlyMemory<byte> content, int maxDepth)
    {
        _content = content.Span.StartsWith(Encoding.UTF8.Preamble) ? content[Encoding.UTF8.Preamble.Length..] : content;
        _state = new JsonReaderState(new JsonReaderOptions { AllowMultipleValues = true, MaxDepth = maxDepth });
        Line = 1;
    }

    public override bool Read()
    {
        if (_documentEnds)
        {
            _documentEnds = _insideDocument = false;
            Kind = EventKind.DocumentEnd;
            return true;
        }

        var reader = new Utf8JsonReader(_content.Span[_consumed..], isFinalBlock: true, _state);
        try
        {
            if (!reader.Read())
                return false;

            Locate(_consumed + (int)reader.TokenStartIndex);
            if (!_insideDocument)
            {
                // The token is read again as the first event inside the document.
                _insideDocument = true;
                Kind = EventKind.DocumentStart;
                return true;
            }

            Take(ref reader);
        }
        catch (JsonException error)
        {
            string message = error.Message.Split(" LineNumber:", 2)[0];
            throw new ManifestSyntaxException((int)Math.Min((error.LineNumber ?? 0) + 1, int.MaxValue), $"not valid JSON: {message}");
        }
        catch (InvalidOperationException)
        {
            throw new ManifestSyntaxException(Line, "not valid JSON: the text is not UTF-8, or half of a surrogate pair is missing");
        }

        _documentEnds = reader.CurrentDepth == 0 && (Kind is EventKind.Scalar or EventKind.MappingEnd or EventKind.SequenceEnd);
        _consumed += (int)reader.BytesConsumed;
        _state = reader.CurrentState;
        return true;
    }

    private void Take(ref Utf8JsonReader reader)
    {
        Text = "";
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                Kind = EventKind.MappingStart;
                break;
            case JsonTokenType.EndObject:
                Kind = EventKind.MappingEnd;
                break;
            case JsonTokenType.StartArray:
                Kind = EventKind.SequenceStart;
                break;
            case JsonTokenType.EndArray:
                Kind = EventKind.SequenceEnd;
                break;
            case JsonTokenType.PropertyName or JsonTokenType.String:
                TakeScalar(ScalarKind.String, reader.GetString()!);
                break;
            case JsonTokenType.Number:
                TakeScalar(reader.TryGetInt64(out _) ? ScalarKind.Integer : ScalarKind.Float, Encoding.UTF8.GetString(reader.ValueSpan));
                break;
            case JsonTokenType.True or JsonTokenType.False:
                TakeScalar(ScalarKind.Boolean, reader.TokenType == JsonTokenType.True ? "true" : "false");
                break;
            default:
                TakeScalar(ScalarKind.Null, "null");
                break;
        }
    }

    private void TakeScalar(ScalarKind kind, string text)
    {
        Kind = EventKind.Scalar;
        ScalarKind = kind;
        Text = text;
    }

    private void Locate(int position)
    {
        var passed = _content.Span[_counted..position];
        Line += passed.Count((byte)'\n');
        int last = passed.LastIndexOf((byte)'\n');
        if (last >= 0)
            _lineStart = _counted + last + 1;
        _counted = position;
        Column = position - _lineStart + 1;
    }
}
