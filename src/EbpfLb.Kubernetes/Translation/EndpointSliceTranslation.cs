// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Kubernetes.Objects;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Translation;

public static class EndpointSliceTranslation
{
    /// <returns>
    /// The slice as far as it is right: a wrong port or endpoint is left out and told as a problem. Null for a slice that no frontend
    /// can use: headless, of host names, or of no service.
    /// </returns>
    public static EndpointSlice? Translate(EndpointSliceObject slice, ProblemList problems)
    {
        ArgumentNullException.ThrowIfNull(slice);
        ArgumentNullException.ThrowIfNull(problems);
        if (!FieldRules.TryGetSliceName(slice.Metadata, problems, out var name))
            return null;

        if (slice.Metadata!.Labels?.ContainsKey(WellKnown.HeadlessLabel) == true)
            return null;

        string? service = TranslateServiceName(slice.Metadata, problems);
        if (TranslateAddressType(slice.AddressType, problems) is not { } family)
            return null;

        var ports = TranslatePorts(slice.Ports ?? [], problems);
        var endpoints = TranslateEndpoints(slice.Endpoints ?? [], family, problems);
        if (service is null)
            return null;

        return new EndpointSlice
        {
            Name = name,
            Service = new ObjectName(name.Namespace, service),
            Family = family,
            Ports = ports,
            Endpoints = endpoints,
            LastChangeTrigger = TranslateTrigger(slice.Metadata),
        };
    }

    // Only the measure of how long programming takes hangs on it, so a time that cannot be read is no problem of the slice. The form is
    // looked at first: half a time would otherwise be completed with what the clock of this node says.
    private static DateTimeOffset? TranslateTrigger(ObjectMeta metadata) =>
        metadata.Annotation(WellKnown.LastChangeTriggerAnnotation) is { } text && HasFormOfRfc3339(text)
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
            ? time
            : null;

    private static bool HasFormOfRfc3339(string text) =>
        text is [_, _, _, _, '-', _, _, '-', _, _, 'T', _, _, ':', _, _, ':', _, _, .., 'Z'] or
            [_, _, _, _, '-', _, _, '-', _, _, 'T', _, _, ':', _, _, ':', _, _, .., '+' or '-', _, _, ':', _, _];

    private static string? TranslateServiceName(ObjectMeta metadata, ProblemList problems)
    {
        string path = $"metadata.labels[{WellKnown.ServiceNameLabel}]";
        string? service = metadata.Label(WellKnown.ServiceNameLabel);
        if (string.IsNullOrEmpty(service))
            problems.Ignored(path, "the label is missing, so the slice belongs to no service");
        else if (!NameRules.IsLabel(service))
            problems.Invalid(path, $"{PrintableText.Quote(service)} {NameRules.LabelRule}");
        else
            return service;

        return null;
    }

    private static AddressFamily? TranslateAddressType(string? text, ProblemList problems)
    {
        switch (text)
        {
            case "IPv4":
                return AddressFamily.IPv4;
            case "IPv6":
                return AddressFamily.IPv6;
            case "FQDN":
                problems.Ignored("addressType", "endpoints with host names are not served");
                return null;
            case null or "":
                problems.Invalid("addressType", "is required: IPv4 or IPv6");
                return null;
            default:
                problems.Ignored("addressType", $"{PrintableText.Quote(text)} is not a known address type; expected IPv4 or IPv6");
                return null;
        }
    }

    private static EquatableArray<EndpointPort> TranslatePorts(IReadOnlyList<SlicePortSpec> specs, ProblemList problems)
    {
        var ports = new List<EndpointPort>(specs.Count);
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < specs.Count; i++)
        {
            string what = $"ports[{i}]";
            bool valid = FieldRules.TryGetPortName(specs[i].Name, what, problems, out string name);
            if (valid && !names.Add(name))
            {
                problems.Invalid($"{what}.name", name.Length == 0 ? "only one port may be without a name"
                    : $"'{name}' is the name of an earlier port too");
                valid = false;
            }

            valid &= FieldRules.TryGetProtocol(specs[i].Protocol, what, problems, out var protocol);
            switch (specs[i].Port)
            {
                case null or 0:
                    problems.Ignored($"{what}.port", "a port without a number serves no service port");
                    break;
                case < 0 or > ushort.MaxValue:
                    problems.Invalid($"{what}.port", FieldRules.NotAPort(specs[i].Port!.Value));
                    break;
                case { } number when valid:
                    ports.Add(new EndpointPort(name, protocol, (ushort)number));
                    break;
            }
        }

        return ports.ToEquatableArray();
    }

    private static EquatableArray<Endpoint> TranslateEndpoints(
        IReadOnlyList<EndpointSpec> specs, AddressFamily family, ProblemList problems)
    {
        var endpoints = new List<Endpoint>(specs.Count);
        for (int i = 0; i < specs.Count; i++)
        {
            var spec = specs[i];
            if (!TryGetAddress(spec, i, family, problems, out var address))
                continue;

            endpoints.Add(new Endpoint
            {
                Address = address,
                Ready = spec.Ready ?? true,
                Serving = spec.Serving ?? true,
                Terminating = spec.Terminating ?? false,
                NodeName = TranslateNodeName(spec.NodeName, i, problems),
                ZoneHints = TranslateHints(spec.ForZones, i, "forZones", problems),
                NodeHints = TranslateHints(spec.ForNodes, i, "forNodes", problems),
            });
        }

        return endpoints.ToEquatableArray();
    }

    /// <summary>Only the first address counts: the others are the same endpoint by contract, and no proxy uses them.</summary>
    private static bool TryGetAddress(EndpointSpec spec, int index, AddressFamily family, ProblemList problems, out Address address)
    {
        address = default;
        if (spec.Addresses is not [var text, ..])
            problems.Invalid($"endpoints[{index}].addresses", "an endpoint must have an address");
        else if (!Address.TryParse(text, out address))
            problems.Invalid($"endpoints[{index}].addresses[0]", $"{PrintableText.Quote(text)} is not an IP address");
        else if (address.Family != family)
            problems.Invalid($"endpoints[{index}].addresses[0]", $"{address} is not an {family} address, as addressType says");
        else if (AddressRules.ReasonAgainstEndpoint(address) is { } reason)
            problems.Invalid($"endpoints[{index}].addresses[0]", $"{address} is {reason}; no endpoint may have it");
        else
            return true;

        return false;
    }

    private static string? TranslateNodeName(string? name, int index, ProblemList problems)
    {
        if (string.IsNullOrEmpty(name))
            return null;

        if (NameRules.IsObjectName(name))
            return name;

        problems.Invalid($"endpoints[{index}].nodeName", $"{PrintableText.Quote(name)} {NameRules.ObjectNameRule}");
        return null;
    }

    private static EquatableArray<string> TranslateHints(IReadOnlyList<string>? names, int index, string field, ProblemList problems)
    {
        if (names is null || names.Count == 0)
            return default;

        var hints = new List<string>(names.Count);
        for (int i = 0; i < names.Count; i++)
        {
            if (string.IsNullOrEmpty(names[i]))
                problems.Invalid($"endpoints[{index}].hints.{field}[{i}].name", "is required");
            else
                hints.Add(names[i]);
        }

        return hints.ToEquatableArray();
    }
}
