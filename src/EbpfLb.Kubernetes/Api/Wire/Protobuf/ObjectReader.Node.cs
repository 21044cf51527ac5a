// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Objects;

namespace EbpfLb.Kubernetes.Api.Wire.Protobuf;

internal sealed partial class ObjectReader
{
    private NodeObject ReadNode(ReadOnlySpan<byte> message)
    {
        ObjectMeta? metadata = null;
        (string? PodCidr, IReadOnlyList<string>? PodCidrs, IReadOnlyList<string>? TaintKeys) spec = default;
        IReadOnlyList<NodeAddress>? addresses = null;
        for (var fields = new ProtoReader(message); fields.Read();)
        {
            switch (fields.Field)
            {
                case Messages.Node.MetadataFieldNumber:
                    metadata = ReadMetadata(fields.Bytes);
                    break;
                case Messages.Node.SpecFieldNumber:
                    spec = ReadNodeSpec(fields.Bytes);
                    break;
                case Messages.Node.StatusFieldNumber:
                    addresses = ReadNodeStatus(fields.Bytes);
                    break;
            }
        }

        return new NodeObject
        {
            Metadata = metadata,
            PodCidr = spec.PodCidr,
            PodCidrs = spec.PodCidrs,
            TaintKeys = spec.TaintKeys,
            Addresses = addresses,
        };
    }

    private (string? PodCidr, IReadOnlyList<string>? PodCidrs, IReadOnlyList<string>? TaintKeys) ReadNodeSpec(ReadOnlySpan<byte> message)
    {
        string? podCidr = null;
        Repeated<string> podCidrs = default, taints = default;
        for (var fields = new ProtoReader(message); fields.Read();)
        {
            switch (fields.Field)
            {
                case Messages.NodeSpec.PodCidrFieldNumber:
                    podCidr = TextOrNull(fields.Bytes);
                    break;
                case Messages.NodeSpec.PodCidrsFieldNumber:
                    podCidrs.Add(this, fields, Text(fields.Bytes));
                    break;
                case Messages.NodeSpec.TaintsFieldNumber:
                    taints.Add(this, fields, ReadSharedText(fields.Bytes, Messages.Taint.KeyFieldNumber));
                    break;
            }
        }

        return (podCidr, podCidrs.Items, taints.Items);
    }

    private IReadOnlyList<NodeAddress>? ReadNodeStatus(ReadOnlySpan<byte> message)
    {
        Repeated<NodeAddress> addresses = default;
        for (var fields = new ProtoReader(message); fields.Read();)
        {
            if (fields.Field == Messages.NodeStatus.AddressesFieldNumber)
                addresses.Add(this, fields, ReadNodeAddress(fields.Bytes));
        }

        return addresses.Items;
    }

    private NodeAddress ReadNodeAddress(ReadOnlySpan<byte> message)
    {
        string? type = null, address = null;
        for (var fields = new ProtoReader(message); fields.Read();)
        {
            switch (fields.Field)
            {
                case Messages.NodeAddress.TypeFieldNumber:
                    type = Shared(fields.Bytes);
                    break;
                case Messages.NodeAddress.AddressFieldNumber:
                    address = Text(fields.Bytes);
                    break;
            }
        }

        return new NodeAddress { Type = type, Address = address };
    }
}
