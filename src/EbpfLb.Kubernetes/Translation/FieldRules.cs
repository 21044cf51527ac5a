// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics.CodeAnalysis;
using EbpfLb.Kubernetes.Objects;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Translation;

/// <summary>Rules that more than one kind shares.</summary>
internal static class FieldRules
{
    public const string DefaultNamespace = "default";

    public static bool TryGetServiceName(ObjectMeta? metadata, ProblemList problems, out ObjectName name) =>
        TryAddNamespace(metadata, TryGetName(metadata, NameRules.IsLabel, NameRules.LabelRule, problems), problems, out name);

    public static bool TryGetSliceName(ObjectMeta? metadata, ProblemList problems, out ObjectName name) =>
        TryAddNamespace(metadata, TryGetName(metadata, NameRules.IsObjectName, NameRules.ObjectNameRule, problems), problems, out name);

    /// <summary>Of an object without a namespace.</summary>
    public static bool TryGetClusterName(ObjectMeta? metadata, ProblemList problems, [NotNullWhen(true)] out string? name) =>
        (name = TryGetName(metadata, NameRules.IsObjectName, NameRules.ObjectNameRule, problems)) is not null;

    public static string? Label(this ObjectMeta? metadata, string key) => metadata?.Labels?.GetValueOrDefault(key);

    public static string? Annotation(this ObjectMeta? metadata, string key) => metadata?.Annotations?.GetValueOrDefault(key);

    /// <summary>Blanks around it mean nothing, as kube-proxy has it.</summary>
    public static bool TryGetPrefix(string? text, string path, ProblemList problems, out AddressPrefix prefix)
    {
        if (AddressPrefix.TryParse(text?.Trim(), out prefix))
            return true;

        problems.Invalid(path, $"{PrintableText.Quote(text)} is not a network; expected the form 192.0.2.0/24 or 2001:db8::/32");
        return false;
    }

    /// <param name="what">The port's field path without the protocol field: <c>spec.ports[1]</c>.</param>
    public static bool TryGetProtocol(string? text, string what, ProblemList problems, out Protocol protocol)
    {
        switch (text)
        {
            case null or "" or "TCP":
                protocol = Protocol.Tcp;
                return true;
            case "UDP":
                protocol = Protocol.Udp;
                return true;
            case "SCTP":
                protocol = Protocol.Sctp;
                return true;
            default:
                protocol = default;
                problems.Invalid($"{what}.protocol", $"{PrintableText.Quote(text)} is not a protocol; expected TCP, UDP or SCTP");
                return false;
        }
    }

    public static string NotAPort(int port) => $"{port} is not a port; expected 1 to 65535";

    /// <returns>The name, empty when there is none or it is wrong.</returns>
    public static bool TryGetPortName(string? text, string what, ProblemList problems, out string name)
    {
        name = text ?? "";
        if (name.Length == 0 || NameRules.IsLabel(name))
            return true;

        problems.Invalid($"{what}.name", $"{PrintableText.Quote(name)} {NameRules.LabelRule}");
        return false;
    }

    private static string? TryGetName(ObjectMeta? metadata, Func<string, bool> isName, string rule, ProblemList problems)
    {
        string? name = metadata?.Name;
        if (string.IsNullOrEmpty(name))
            problems.Invalid("metadata.name", "is required");
        else if (!isName(name))
            problems.Invalid("metadata.name", $"{PrintableText.Quote(name)} {rule}");
        else
            return name;

        return null;
    }

    private static bool TryAddNamespace(ObjectMeta? metadata, string? objectName, ProblemList problems, out ObjectName name)
    {
        string objectNamespace = string.IsNullOrEmpty(metadata?.Namespace) ? DefaultNamespace : metadata.Namespace;
        bool isNamespace = NameRules.IsLabel(objectNamespace);
        if (!isNamespace)
            problems.Invalid("metadata.namespace", $"{PrintableText.Quote(objectNamespace)} {NameRules.LabelRule}");

        bool valid = isNamespace && objectName is not null;
        name = valid ? new ObjectName(objectNamespace, objectName!) : default;
        return valid;
    }
}
