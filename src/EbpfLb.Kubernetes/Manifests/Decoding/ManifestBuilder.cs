// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Manifests.Tree;
using EbpfLb.Kubernetes.Objects;
using EbpfLb.Kubernetes.Translation;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Manifests.Decoding;

/// <summary>Turns the trees of one file into its objects and problems.</summary>
internal sealed class ManifestBuilder(ProblemReport report, TextPool texts)
{
    private readonly Dictionary<ObjectKey, ManifestObject> _objects = [];
    private readonly HashSet<Identity> _unknownKinds = [];

    // Items of the current document that were taken before it said that it is a list.
    private bool _tookItemsEarly;

    /// <summary>
    /// Takes an item of a list as soon as it is read. kubectl writes a list's kind after its items, so an item that tells its own kind
    /// is taken on trust; <see cref="AddDocument"/> refuses the file when the document turns out to be no list.
    /// </summary>
    /// <returns>False when only the end of the document can tell what the item is.</returns>
    public bool TryAddItem(ManifestMapping document, ManifestNode item)
    {
        if (Identity.Of(document) is { } identity)
        {
            if (identity.IsList)
                AddItem(identity, item);
            return identity.IsList;
        }

        if (item is not ManifestMapping mapping || Identity.Of(mapping) is not { } own)
            return false;

        _tookItemsEarly = true;
        AddObject(mapping, own);
        return true;
    }

    public void AddDocument(ManifestNode root)
    {
        bool tookItems = _tookItemsEarly;
        _tookItemsEarly = false;

        // An empty document: nothing between two separators, or only a comment.
        if (root.IsNull)
            return;

        if (root is not ManifestMapping document)
            RefuseDocument(root);
        else if (Identify(document) is { } identity)
            FinishDocument(document, identity, tookItems);
    }

    public ParsedManifest Build()
    {
        var objects = _objects.Values.ToArray();
        Array.Sort(objects, static (left, right) => left.Key.CompareTo(right.Key));
        return new ParsedManifest(objects, report.ToProblems(), report.InvalidCount, report.IgnoredCount);
    }

    private void RefuseDocument(ManifestNode root) => report.Add(Severity.Invalid, root.Line, "", "",
        $"a document must be a mapping with apiVersion and kind, not {root.Description}");

    private void FinishDocument(ManifestMapping document, Identity identity, bool tookItems)
    {
        if (!identity.IsList)
        {
            if (tookItems)
                report.Add(Severity.Invalid, document.Line, identity.Kind, "items", "only a list has objects as items");
            AddObject(document, identity);
            return;
        }

        switch (document.Find("items"))
        {
            case null or { IsNull: true }:
                break;
            case ManifestSequence items:
                foreach (var item in items.Items)
                    AddItem(identity, item);
                break;
            case var other:
                report.Add(Severity.Invalid, other.Line, identity.Kind, "items", $"must be a list, not {other.Description}");
                break;
        }
    }

    private void AddItem(Identity list, ManifestNode item)
    {
        if (item is not ManifestMapping mapping)
        {
            report.Add(Severity.Invalid, item.Line, list.Kind, "items", $"an item must be a mapping, not {item.Description}");
            return;
        }

        bool saysNothing = mapping.Find("kind") is null && mapping.Find("apiVersion") is null;
        if ((saysNothing && list.OfItems is { } inherited ? inherited : Identify(mapping)) is { } identity)
            AddObject(mapping, identity);
    }

    private Identity? Identify(ManifestMapping mapping)
    {
        if (Identity.Of(mapping) is { } identity)
            return identity;

        foreach (string field in (ReadOnlySpan<string>)["apiVersion", "kind"])
        {
            switch (mapping.Find(field))
            {
                case ManifestScalar { Kind: ScalarKind.String, Text.Length: > 0 }:
                    break;
                case null or { IsNull: true } or ManifestScalar { Text: "" }:
                    report.Add(Severity.Invalid, mapping.Line, "", field, "is required in every document");
                    break;
                case var other:
                    report.Add(Severity.Invalid, other.Line, "", field, $"must be text, not {other.Description}");
                    break;
            }
        }

        return null;
    }

    private void AddObject(ManifestMapping root, Identity identity)
    {
        switch (identity)
        {
            case ("v1", "Service"):
                AddService(root);
                break;
            case ("discovery.k8s.io/v1", "EndpointSlice"):
                AddEndpointSlice(root);
                break;
            case ("v1", "Node"):
                AddNode(root);
                break;
            case ("networking.k8s.io/v1", "ServiceCIDR"):
                AddServiceCidr(root);
                break;
            default:
                AddUnknown(root, identity);
                break;
        }
    }

    private void AddService(ManifestMapping root)
    {
        var wrongTypes = new ProblemList();
        var problems = new ProblemList();
        var service = ObjectDecoder.DecodeService(new FieldReader(root, texts, wrongTypes));
        var model = ServiceTranslation.Translate(service, problems);
        Add(root, ObjectKind.Service, service.Metadata, wrongTypes, problems, item => item with { Service = model });
    }

    private void AddEndpointSlice(ManifestMapping root)
    {
        var wrongTypes = new ProblemList();
        var problems = new ProblemList();
        var slice = ObjectDecoder.DecodeEndpointSlice(new FieldReader(root, texts, wrongTypes));
        var model = EndpointSliceTranslation.Translate(slice, problems);
        Add(root, ObjectKind.EndpointSlice, slice.Metadata, wrongTypes, problems, item => item with { Slice = model });
    }

    private void AddNode(ManifestMapping root)
    {
        var wrongTypes = new ProblemList();
        var problems = new ProblemList();
        var node = ObjectDecoder.DecodeNode(new FieldReader(root, texts, wrongTypes));
        var model = NodeTranslation.Translate(node, problems);
        Add(root, ObjectKind.Node, node.Metadata, wrongTypes, problems, item => item with { Node = model });
    }

    private void AddServiceCidr(ManifestMapping root)
    {
        var wrongTypes = new ProblemList();
        var problems = new ProblemList();
        var cidr = ObjectDecoder.DecodeServiceCidr(new FieldReader(root, texts, wrongTypes));
        var model = ServiceCidrTranslation.Translate(cidr, problems);
        Add(root, ObjectKind.ServiceCIDR, cidr.Metadata, wrongTypes, problems, item => item with { ServiceCidr = model });
    }

    private void AddUnknown(ManifestMapping root, Identity identity)
    {
        if (!_unknownKinds.Add(identity))
            return;

        string? known = identity.Kind switch
        {
            "Service" or "Node" => "v1",
            "EndpointSlice" => "discovery.k8s.io/v1",
            "ServiceCIDR" => "networking.k8s.io/v1",
            _ => null,
        };
        string name = $"{PrintableText.Quote(identity.Kind)} of {PrintableText.Quote(identity.ApiVersion)}";
        // Other kinds may stand beside ours. Ours in a version nobody reads is a mistake, and must not look like a deletion.
        if (known is null)
        {
            report.Add(Severity.Ignored, root.Line, "", "kind",
                $"{name} is not served, nor are others of that kind in this file; Service, EndpointSlice, Node and ServiceCIDR are");
        }
        else
        {
            report.Add(Severity.Invalid, root.Line, "", "apiVersion", $"{name} is not served; write apiVersion: {known}");
        }
    }

    private void Add(ManifestMapping root, ObjectKind kind, ObjectMeta? metadata, ProblemList wrongTypes, ProblemList problems,
        Func<ManifestObject, ManifestObject> complete)
    {
        string objectNamespace = kind.HasNoNamespace() ? ""
            : string.IsNullOrEmpty(metadata?.Namespace) ? FieldRules.DefaultNamespace : metadata.Namespace;
        bool hasName = !string.IsNullOrEmpty(metadata?.Name);
        var key = new ObjectKey(kind, new ObjectName(objectNamespace, hasName ? metadata!.Name! : "?"));
        Report(root, key, wrongTypes, problems);

        // Without a name there is a problem already, and nothing that a second one could be a duplicate of.
        if (hasName && !_objects.TryAdd(key, complete(new ManifestObject(key, root.Line))))
        {
            report.Add(Severity.Invalid, root.Line, key.ToString(), "",
                $"the object is in this file twice, first at line {_objects[key].Line}");
        }
    }

    private void Report(ManifestMapping root, ObjectKey key, ProblemList wrongTypes, ProblemList problems)
    {
        if (wrongTypes.InvalidCount + problems.InvalidCount + problems.IgnoredCount == 0)
            return;

        string what = key.ToString();
        foreach (var problem in wrongTypes.Kept)
            Add(problem);

        foreach (var problem in problems.Kept)
        {
            if (!wrongTypes.Kept.Any(cause => IsFollowUp(problem.FieldPath, cause.FieldPath)))
                Add(problem);
        }

        // What the lists counted and did not keep.
        int kept = wrongTypes.Kept.Count + problems.Kept.Count(problem => problem.Severity == Severity.Invalid);
        report.Count(Severity.Invalid, wrongTypes.InvalidCount + problems.InvalidCount - kept);
        report.Count(Severity.Ignored, problems.IgnoredCount - problems.Kept.Count(problem => problem.Severity == Severity.Ignored));

        void Add(Problem problem) => report.Add(problem.Severity, FieldPaths.Find(root, problem.FieldPath).Line, what,
            problem.FieldPath, problem.Message);
    }

    /// <summary>A field of the wrong type reads as absent; that it is then missing is the same problem over again.</summary>
    private static bool IsFollowUp(string path, string cause) =>
        path.StartsWith(cause, StringComparison.Ordinal) && (path.Length == cause.Length || path[cause.Length] is '.' or '[');
}
