// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace EbpfLb.Kubernetes.Manifests.Tree;

/// <summary>YAML through the events of YamlDotNet's parser: nothing of its object mapping, which needs reflection.</summary>
internal sealed class YamlEventReader : EventReader
{
    private const string TagPrefix = "tag:yaml.org,2002:";

    // The parser takes a NUL for the end of the text and would drop what follows. YAML forbids the others as well.
    private static readonly SearchValues<byte> ForbiddenControls = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(i => (byte)i).Except("\t\n\r"u8.ToArray()), 0x7f]);

    private readonly Parser _parser;

    public YamlEventReader(ReadOnlyMemory<byte> content)
    {
        CheckEncoding(content.Span);
        if (!MemoryMarshal.TryGetArray(content, out var array))
            array = content.ToArray();
        var stream = new MemoryStream(array.Array!, array.Offset, array.Count, writable: false);
        _parser = new Parser(new StreamReader(stream, Encoding.UTF8));
    }

    public override bool Read()
    {
        while (MoveNext())
        {
            var current = _parser.Current!;
            Line = (int)Math.Min(current.Start.Line, int.MaxValue);
            Column = (int)Math.Min(current.Start.Column, int.MaxValue);
            Anchor = current is NodeEvent { Anchor.IsEmpty: false } node ? node.Anchor.Value : null;
            switch (current)
            {
                case StreamStart or StreamEnd or Comment:
                    continue;
                case DocumentStart:
                    Kind = EventKind.DocumentStart;
                    return true;
                case DocumentEnd:
                    Kind = EventKind.DocumentEnd;
                    return true;
                case MappingStart:
                    Kind = EventKind.MappingStart;
                    return true;
                case MappingEnd:
                    Kind = EventKind.MappingEnd;
                    return true;
                case SequenceStart:
                    Kind = EventKind.SequenceStart;
                    return true;
                case SequenceEnd:
                    Kind = EventKind.SequenceEnd;
                    return true;
                case AnchorAlias alias:
                    Kind = EventKind.Alias;
                    Anchor = alias.Value.Value;
                    return true;
                case Scalar scalar:
                    Kind = EventKind.Scalar;
                    Text = scalar.Value;
                    ScalarKind = KindOf(scalar);
                    return true;
            }
        }

        return false;
    }

    private static void CheckEncoding(ReadOnlySpan<byte> content)
    {
        int control = content.IndexOfAny(ForbiddenControls);
        if (control >= 0)
        {
            throw new ManifestSyntaxException(content[..control].Count((byte)'\n') + 1,
                $"the file contains the control character 0x{content[control]:x2}, which YAML does not allow");
        }

        if (Utf8.IsValid(content))
            return;

        int line = 1;
        foreach (var range in content.Split((byte)'\n'))
        {
            if (!Utf8.IsValid(content[range]))
                break;

            line++;
        }

        throw new ManifestSyntaxException(line, "the file is not UTF-8 text");
    }

    private static ScalarKind KindOf(Scalar scalar)
    {
        if (scalar.Tag.IsEmpty || scalar.Tag.IsNonSpecific || !scalar.Tag.Value.StartsWith(TagPrefix, StringComparison.Ordinal))
            return scalar.Style == ScalarStyle.Plain && scalar.Tag.IsEmpty ? PlainScalar.KindOf(scalar.Value) : ScalarKind.String;

        return scalar.Tag.Value.AsSpan(TagPrefix.Length) is "int" or "float" or "bool" or "null"
            ? PlainScalar.KindOf(scalar.Value)
            : ScalarKind.String;
    }

    private bool MoveNext()
    {
        try
        {
            return _parser.MoveNext();
        }
        catch (YamlException error)
        {
            throw new ManifestSyntaxException((int)Math.Min(error.Start.Line, int.MaxValue), $"not valid YAML: {error.Message}");
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException or FormatException or OverflowException
            or IndexOutOfRangeException or NullReferenceException)
        {
            // Text that its author never thought of makes the parser stumble over itself. That is a property of the text, not of us.
            throw new ManifestSyntaxException(Line, $"not valid YAML: {error.Message}");
        }
    }
}
