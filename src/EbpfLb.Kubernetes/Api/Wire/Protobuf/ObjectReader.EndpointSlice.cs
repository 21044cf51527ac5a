// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Objects;

namespace EbpfLb.Kubernetes.Api.Wire.Protobuf;

internal sealed partial class ObjectReader
{
    private EndpointSliceObject ReadEndpointSlice(ReadOnlySpan<byte> message)
    {
        ObjectMeta? metadata = null;
        string? addressType = null;
        Repeated<EndpointSpec> endpoints = default;
        Repeated<SlicePortSpec> ports = default;
        for (var fields = new ProtoReader(message); fields.Read();)
        {
            switch (fields.Field)
            {
                case Messages.EndpointSlice.MetadataFieldNumber:
                    metadata = ReadMetadata(fields.Bytes);
                    break;
                case Messages.EndpointSlice.AddressTypeFieldNumber:
                    addressType = Shared(fields.Bytes);
                    break;
                case Messages.EndpointSlice.EndpointsFieldNumber:
                    endpoints.Add(this, fields, ReadEndpoint(fields.Bytes));
                    break;
                case Messages.EndpointSlice.PortsFieldNumber:
                    ports.Add(this, fields, ReadSlicePort(fields.Bytes));
                    break;
            }
        }

        return new EndpointSliceObject
        {
            Metadata = metadata,
            AddressType = addressType,
            Ports = ports.Items,
            Endpoints = endpoints.Items,
        };
    }

    private SlicePortSpec ReadSlicePort(ReadOnlySpan<byte> message)
    {
        string? name = null, protocol = null;
        int? port = null;
        for (var fields = new ProtoReader(message); fields.Read();)
        {
            switch (fields.Field)
            {
                case Messages.EndpointPort.NameFieldNumber:
                    name = Shared(fields.Bytes);
                    break;
                case Messages.EndpointPort.ProtocolFieldNumber:
                    protocol = Shared(fields.Bytes);
                    break;
                case Messages.EndpointPort.PortFieldNumber:
                    port = fields.Int32;
                    break;
            }
        }

        return new SlicePortSpec { Name = name, Protocol = protocol, Port = port };
    }

    private EndpointSpec ReadEndpoint(ReadOnlySpan<byte> message)
    {
        string? nodeName = null;
        (bool? Ready, bool? Serving, bool? Terminating) conditions = default;
        Repeated<string> addresses = default;
        (IReadOnlyList<string>? Zones, IReadOnlyList<string>? Nodes) hints = default;
        for (var fields = new ProtoReader(message); fields.Read();)
        {
            switch (fields.Field)
            {
                case Messages.Endpoint.AddressesFieldNumber:
                    addresses.Add(this, fields, Text(fields.Bytes));
                    break;
                case Messages.Endpoint.ConditionsFieldNumber:
                    conditions = ReadConditions(fields.Bytes);
                    break;
                case Messages.Endpoint.NodeNameFieldNumber:
                    nodeName = Shared(fields.Bytes);
                    break;
                case Messages.Endpoint.HintsFieldNumber:
                    hints = ReadHints(fields.Bytes);
                    break;
            }
        }

        return new EndpointSpec
        {
            Addresses = addresses.Items,
            Ready = conditions.Ready,
            Serving = conditions.Serving,
            Terminating = conditions.Terminating,
            NodeName = nodeName,
            ForZones = hints.Zones,
            ForNodes = hints.Nodes,
        };
    }

    private static (bool? Ready, bool? Serving, bool? Terminating) ReadConditions(ReadOnlySpan<byte> message)
    {
        (bool? Ready, bool? Serving, bool? Terminating) conditions = default;
        for (var fields = new ProtoReader(message); fields.Read();)
        {
            switch (fields.Field)
            {
                case Messages.EndpointConditions.ReadyFieldNumber:
                    conditions.Ready = fields.Boolean;
                    break;
                case Messages.EndpointConditions.ServingFieldNumber:
                    conditions.Serving = fields.Boolean;
                    break;
                case Messages.EndpointConditions.TerminatingFieldNumber:
                    conditions.Terminating = fields.Boolean;
                    break;
            }
        }

        return conditions;
    }

    private (IReadOnlyList<string>? Zones, IReadOnlyList<string>? Nodes) ReadHints(ReadOnlySpan<byte> message)
    {
        Repeated<string> zones = default, nodes = default;
        for (var fields = new ProtoReader(message); fields.Read();)
        {
            switch (fields.Field)
            {
                case Messages.EndpointHints.ForZonesFieldNumber:
                    zones.Add(this, fields, ReadSharedText(fields.Bytes, Messages.ForZone.NameFieldNumber));
                    break;
                case Messages.EndpointHints.ForNodesFieldNumber:
                    nodes.Add(this, fields, ReadSharedText(fields.Bytes, Messages.ForNode.NameFieldNumber));
                    break;
            }
        }

        return (zones.Items, nodes.Items);
    }

    /// <summary>For a message of which one text is used.</summary>
    private string ReadSharedText(ReadOnlySpan<byte> message, int field)
    {
        string text = "";
        for (var fields = new ProtoReader(message); fields.Read();)
        {
            if (fields.Field == field)
                text = Shared(fields.Bytes);
        }

        return text;
    }
}
