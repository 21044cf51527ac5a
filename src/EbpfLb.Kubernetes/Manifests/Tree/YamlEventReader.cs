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

    private readonly ReadOnlyMemory<byte> _content;
    private readonly Scanner _scanner;
    private readonly Parser _parser;

    public YamlEventReader(ReadOnlyMemory<byte> content)
    {
        CheckEncoding(content.Span);
        if (!MemoryMarshal.TryGetArray(content, out var array))
            array = content.ToArray();
        var stream = new MemoryStream(array.Array!, array.Offset, array.Count, writable: false);
        _content = content;
        _scanner = new Scanner(new StreamReader(stream, Encoding.UTF8));
        _parser = new Parser(_scanner);
    }

    public override bool Read()
    {
        while (MoveNext())
        {
            var current = _parser.Current!;
            Line = Clamp(current.Start.Line);
            Column = Clamp(current.Start.Column);
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
            string start = error.Start.Line < error.End.Line ? $" (it starts at line {error.Start.Line})" : "";
            throw Syntax(error.End.Line, error.Message + start);
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException or FormatException or OverflowException
            or IndexOutOfRangeException or NullReferenceException)
        {
            // Text that its author never thought of makes the parser stumble over itself. That is a property of the text, not of us.
            throw Syntax(_scanner.CurrentPosition.Line, "something before or in this line is not closed, or stands where it cannot");
        }
    }

    private ManifestSyntaxException Syntax(long line, string message)
    {
        // The parser blames a tab on the mapping that it is in, which may have started far above.
        int reached = Clamp(_scanner.CurrentPosition.Line);
        return HasTabInIndentation(reached)
            ? new ManifestSyntaxException(reached, "not valid YAML: a tab in the indentation; use spaces")
            : new ManifestSyntaxException(Clamp(line), $"not valid YAML: {message}");
    }

    private static int Clamp(long line) => (int)Math.Min(line, int.MaxValue);

    private bool HasTabInIndentation(int line)
    {
        var rest = _content.Span;
        for (int i = 1; i < line; i++)
        {
            int end = rest.IndexOf((byte)'\n');
            if (end < 0)
                return false;

            rest = rest[(end + 1)..];
        }

        int indentation = rest.IndexOfAnyExcept((byte)' ', (byte)'\t');
        return rest[..(indentation < 0 ? rest.Length : indentation)].Contains((byte)'\t');
    }
}
