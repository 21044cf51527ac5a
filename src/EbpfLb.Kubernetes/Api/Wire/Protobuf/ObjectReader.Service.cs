// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Objects;

namespace EbpfLb.Kubernetes.Api.Wire.Protobuf;

internal sealed partial class ObjectReader
{
    private ServiceObject ReadService(ReadOnlySpan<byte> message)
    {
        ObjectMeta? metadata = null;
        ServiceSpec? spec = null;
        IReadOnlyList<LoadBalancerIngress>? ingress = null;
        for (var fields = new ProtoReader(message); fields.Read();)
        {
            switch (fields.Field)
            {
                case Messages.Service.MetadataFieldNumber:
                    metadata = ReadMetadata(fields.Bytes);
                    break;
                case Messages.Service.SpecFieldNumber:
                    spec = ReadServiceSpec(fields.Bytes);
                    break;
                case Messages.Service.StatusFieldNumber:
                    ingress = ReadServiceStatus(fields.Bytes);
                    break;
            }
        }

        return new ServiceObject { Metadata = metadata, Spec = spec, LoadBalancerIngress = ingress };
    }

    private ServiceSpec ReadServiceSpec(ReadOnlySpan<byte> message)
    {
        string? type = null, clusterIP = null, affinity = null, internalPolicy = null, externalPolicy = null;
        int? timeout = null, healthCheckPort = null;
        Repeated<string> clusterIPs = default, externalIPs = default, sourceRanges = default;
        Repeated<ServicePortSpec> ports = default;
        for (var fields = new ProtoReader(message); fields.Read();)
        {
            switch (fields.Field)
            {
                case Messages.ServiceSpec.PortsFieldNumber:
                    ports.Add(this, fields, ReadServicePort(fields.Bytes));
                    break;
                case Messages.ServiceSpec.ClusterIpFieldNumber:
                    clusterIP = TextOrNull(fields.Bytes);
                    break;
                case Messages.ServiceSpec.ClusterIpsFieldNumber:
                    clusterIPs.Add(this, fields, Text(fields.Bytes));
                    break;
                case Messages.ServiceSpec.TypeFieldNumber:
                    type = SharedOrNull(fields.Bytes);
                    break;
                case Messages.ServiceSpec.ExternalIpsFieldNumber:
                    externalIPs.Add(this, fields, Text(fields.Bytes));
                    break;
                case Messages.ServiceSpec.SessionAffinityFieldNumber:
                    affinity = SharedOrNull(fields.Bytes);
                    break;
                case Messages.ServiceSpec.LoadBalancerSourceRangesFieldNumber:
                    sourceRanges.Add(this, fields, Text(fields.Bytes));
                    break;
                case Messages.ServiceSpec.ExternalTrafficPolicyFieldNumber:
                    externalPolicy = SharedOrNull(fields.Bytes);
                    break;
                case Messages.ServiceSpec.HealthCheckNodePortFieldNumber:
                    healthCheckPort = NonZero(fields.Int32);
                    break;
                case Messages.ServiceSpec.SessionAffinityConfigFieldNumber:
                    timeout = ReadAffinityTimeout(fields.Bytes);
                    break;
                case Messages.ServiceSpec.InternalTrafficPolicyFieldNumber:
                    internalPolicy = Shared(fields.Bytes);
                    break;
            }
        }

        return new ServiceSpec
        {
            Type = type,
            ClusterIP = clusterIP,
            ClusterIPs = clusterIPs.Items,
            ExternalIPs = externalIPs.Items,
            LoadBalancerSourceRanges = sourceRanges.Items,
            Ports = ports.Items,
            SessionAffinity = affinity,
            SessionAffinityTimeoutSeconds = timeout,
            InternalTrafficPolicy = internalPolicy,
            ExternalTrafficPolicy = externalPolicy,
            HealthCheckNodePort = healthCheckPort,
        };
    }

    private ServicePortSpec ReadServicePort(ReadOnlySpan<byte> message)
    {
        string? name = null, protocol = null;
        int? port = null, nodePort = null;
        for (var fields = new ProtoReader(message); fields.Read();)
        {
            switch (fields.Field)
            {
                case Messages.ServicePort.NameFieldNumber:
                    name = SharedOrNull(fields.Bytes);
                    break;
                case Messages.ServicePort.ProtocolFieldNumber:
                    protocol = SharedOrNull(fields.Bytes);
                    break;
                case Messages.ServicePort.PortFieldNumber:
                    port = fields.Int32;
                    break;
                case Messages.ServicePort.NodePortFieldNumber:
                    nodePort = NonZero(fields.Int32);
                    break;
            }
        }

        return new ServicePortSpec { Name = name, Protocol = protocol, Port = port, NodePort = nodePort };
    }

    private static int? ReadAffinityTimeout(ReadOnlySpan<byte> message)
    {
        int? timeout = null;
        for (var config = new ProtoReader(message); config.Read();)
        {
            if (config.Field != Messages.SessionAffinityConfig.ClientIpFieldNumber)
                continue;

            for (var clientIP = new ProtoReader(config.Bytes); clientIP.Read();)
            {
                if (clientIP.Field == Messages.ClientIPConfig.TimeoutSecondsFieldNumber)
                    timeout = clientIP.Int32;
            }
        }

        return timeout;
    }

    private IReadOnlyList<LoadBalancerIngress>? ReadServiceStatus(ReadOnlySpan<byte> message)
    {
        Repeated<LoadBalancerIngress> ingress = default;
        for (var status = new ProtoReader(message); status.Read();)
        {
            if (status.Field != Messages.ServiceStatus.LoadBalancerFieldNumber)
                continue;

            ingress = default;
            for (var balancer = new ProtoReader(status.Bytes); balancer.Read();)
            {
                if (balancer.Field == Messages.LoadBalancerStatus.IngressFieldNumber)
                    ingress.Add(this, balancer, ReadIngress(balancer.Bytes));
            }
        }

        return ingress.Items;
    }

    private LoadBalancerIngress ReadIngress(ReadOnlySpan<byte> message)
    {
        string? ip = null, mode = null;
        for (var fields = new ProtoReader(message); fields.Read();)
        {
            switch (fields.Field)
            {
                case Messages.LoadBalancerIngress.IpFieldNumber:
                    ip = TextOrNull(fields.Bytes);
                    break;
                case Messages.LoadBalancerIngress.IpModeFieldNumber:
                    mode = Shared(fields.Bytes);
                    break;
            }
        }

        return new LoadBalancerIngress { IP = ip, IPMode = mode };
    }

    private static int? NonZero(int number) => number == 0 ? null : number;
}
