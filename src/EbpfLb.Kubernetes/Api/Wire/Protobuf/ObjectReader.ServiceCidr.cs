// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Objects;

namespace EbpfLb.Kubernetes.Api.Wire.Protobuf;

internal sealed partial class ObjectReader
{
    private ServiceCidrObject ReadServiceCidr(ReadOnlySpan<byte> message)
    {
        ObjectMeta? metadata = null;
        IReadOnlyList<string>? cidrs = null;
        for (var fields = new ProtoReader(message); fields.Read();)
        {
            switch (fields.Field)
            {
                case Messages.ServiceCIDR.MetadataFieldNumber:
                    metadata = ReadMetadata(fields.Bytes);
                    break;
                case Messages.ServiceCIDR.SpecFieldNumber:
                    cidrs = ReadCidrs(fields.Bytes);
                    break;
            }
        }

        return new ServiceCidrObject { Metadata = metadata, Cidrs = cidrs };
    }

    private IReadOnlyList<string>? ReadCidrs(ReadOnlySpan<byte> message)
    {
        Repeated<string> cidrs = default;
        for (var fields = new ProtoReader(message); fields.Read();)
        {
            if (fields.Field == Messages.ServiceCIDRSpec.CidrsFieldNumber)
                cidrs.Add(this, fields, Text(fields.Bytes));
        }

        return cidrs.Items;
    }
}
