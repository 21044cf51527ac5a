// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Manifests.Decoding;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Api.Wire.Json;

/// <summary>The objects of one response. What one of them gets wrong never harms another.</summary>
internal sealed class JsonObjects(ResourceKind kind)
{
    private readonly TextPool _texts = new();
    private readonly Identity _expected = ResourceIdentity.OfObject(kind);

    /// <param name="mustSayWhatItIs">The items of a list leave it to the list.</param>
    /// <returns>Null when it cannot be read; <paramref name="defect"/> says why then.</returns>
    public ApiObject? Read(ReadOnlyMemory<byte> value, bool mustSayWhatItIs, out WireDefect? defect)
    {
        if (JsonTree.ReadMapping(value, out string problem) is not { } root)
        {
            defect = WireDefect.Of(null, problem);
            return null;
        }

        var problems = new ProblemList();
        var item = Decode(new FieldReader(root, _texts, problems));
        var found = Identity.Of(root);
        defect = (found is null ? mustSayWhatItIs : found != _expected)
            ? WireDefect.Of(null, WireText.NoObject(found ?? new Identity("", "")))
            : string.IsNullOrEmpty(item.Metadata?.Name) ? WireDefect.Of(item.Metadata, "metadata.name is missing")
            : null;
        if (defect is not null)
            return null;

        return problems.InvalidCount == 0 ? item : item with { Defect = WireText.Escape(string.Join("; ", problems.Kept)) };
    }

    public static (string? ResourceVersion, string? Continue) ReadListMetadata(ReadOnlyMemory<byte> metadata)
    {
        if (JsonTree.ReadMapping(metadata, out _) is not { } root)
            return default;

        var fields = new FieldReader(root, new TextPool(), new ProblemList());
        return (NonEmpty(fields.Text(root, "resourceVersion")), NonEmpty(fields.Text(root, "continue")));
    }

    /// <summary>A bookmark is an object of the resource that has nothing but metadata.</summary>
    public static (string? ResourceVersion, bool InitialEventsEnd) ReadBookmark(ReadOnlyMemory<byte> value)
    {
        if (JsonTree.ReadMapping(value, out _) is not { } root)
            return default;

        var fields = new FieldReader(root, new TextPool(), new ProblemList());
        var metadata = fields.Mapping(root, "metadata");
        return (NonEmpty(fields.Text(metadata, "resourceVersion")),
            fields.Text(fields.Mapping(metadata, "annotations"), ResourceIdentity.InitialEventsEnd) == "true");
    }

    private ApiObject Decode(FieldReader fields) => kind switch
    {
        ResourceKind.Service => new ApiObject { Service = ObjectDecoder.DecodeService(fields) },
        ResourceKind.EndpointSlice => new ApiObject { Slice = ObjectDecoder.DecodeEndpointSlice(fields) },
        ResourceKind.Node => new ApiObject { Node = ObjectDecoder.DecodeNode(fields) },
        _ => new ApiObject { ServiceCidr = ObjectDecoder.DecodeServiceCidr(fields) },
    };

    private static string? NonEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
