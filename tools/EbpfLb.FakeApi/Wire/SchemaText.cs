// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.FakeApi.Wire;

internal static class SchemaText
{
    /// <summary>
    /// Number, name and type of each field. <c>!</c>: written also when it is empty. <c>*</c>: repeated. What a field is in JSON has the
    /// same name.
    /// </summary>
    public const string Messages =
        """
        ObjectMeta
          1 name text!
          2 generateName text!
          3 namespace text!
          4 selfLink text!
          5 uid text!
          6 resourceVersion text!
          7 generation int!
          8 creationTimestamp time!
          9 deletionTimestamp time
          10 deletionGracePeriodSeconds int
          11 labels map
          12 annotations map
          13 ownerReferences OwnerReference*
          14 finalizers text*
          17 managedFields ManagedFieldsEntry*
        OwnerReference
          5 apiVersion text!
          1 kind text!
          3 name text!
          4 uid text!
          6 controller bool
          7 blockOwnerDeletion bool
        ManagedFieldsEntry
          1 manager text!
          2 operation text!
          3 apiVersion text!
          4 time time
          6 fieldsType text!
          7 fieldsV1 rawJson
          8 subresource text!
        Condition
          1 type text!
          2 status text!
          3 observedGeneration int!
          4 lastTransitionTime time!
          5 reason text!
          6 message text!
        ListMeta
          1 selfLink text!
          2 resourceVersion text!
          3 continue text!
          4 remainingItemCount int
        Status
          1 metadata ListMeta!
          2 status text!
          3 message text!
          4 reason text!
          5 details StatusDetails
          6 code int!
        StatusDetails
          1 name text!
          2 group text!
          3 kind text!
          6 uid text!
          4 causes StatusCause*
          5 retryAfterSeconds int!
        StatusCause
          1 reason text!
          2 message text!
          3 field text!
        Service
          1 metadata ObjectMeta!
          2 spec ServiceSpec!
          3 status ServiceStatus!
        ServiceSpec
          1 ports ServicePort*
          2 selector map
          3 clusterIP text!
          18 clusterIPs text*
          4 type text!
          5 externalIPs text*
          7 sessionAffinity text!
          8 loadBalancerIP text!
          9 loadBalancerSourceRanges text*
          10 externalName text!
          11 externalTrafficPolicy text!
          12 healthCheckNodePort int!
          13 publishNotReadyAddresses bool!
          14 sessionAffinityConfig SessionAffinityConfig
          19 ipFamilies text*
          17 ipFamilyPolicy text
          20 allocateLoadBalancerNodePorts bool
          21 loadBalancerClass text
          22 internalTrafficPolicy text
          23 trafficDistribution text
        ServicePort
          1 name text!
          2 protocol text!
          6 appProtocol text
          3 port int!
          4 targetPort intOrString!
          5 nodePort int!
        ServiceStatus
          1 loadBalancer LoadBalancerStatus!
          2 conditions Condition*
        LoadBalancerStatus
          1 ingress LoadBalancerIngress*
        LoadBalancerIngress
          1 ip text!
          2 hostname text!
          3 ipMode text
          4 ports PortStatus*
        PortStatus
          1 port int!
          2 protocol text!
          3 error text
        SessionAffinityConfig
          1 clientIP ClientIPConfig
        ClientIPConfig
          1 timeoutSeconds int
        Node
          1 metadata ObjectMeta!
          2 spec NodeSpec!
          3 status NodeStatus!
        NodeSpec
          1 podCIDR text!
          7 podCIDRs text*
          3 providerID text!
          4 unschedulable bool!
          5 taints Taint*
          2 externalID text!
        Taint
          1 key text!
          2 value text!
          3 effect text!
          4 timeAdded time
        NodeStatus
          1 capacity quantityMap
          2 allocatable quantityMap
          3 phase text!
          4 conditions NodeCondition*
          5 addresses NodeAddress*
          6 daemonEndpoints NodeDaemonEndpoints!
          7 nodeInfo NodeSystemInfo!
          8 images ContainerImage*
          9 volumesInUse text*
          14 declaredFeatures text*
        NodeCondition
          1 type text!
          2 status text!
          3 lastHeartbeatTime time!
          4 lastTransitionTime time!
          5 reason text!
          6 message text!
        NodeAddress
          1 type text!
          2 address text!
        NodeDaemonEndpoints
          1 kubeletEndpoint DaemonEndpoint!
        DaemonEndpoint
          1 Port int!
        NodeSystemInfo
          1 machineID text!
          2 systemUUID text!
          3 bootID text!
          4 kernelVersion text!
          5 osImage text!
          6 containerRuntimeVersion text!
          7 kubeletVersion text!
          8 kubeProxyVersion text!
          9 operatingSystem text!
          10 architecture text!
          11 swap NodeSwapStatus
        NodeSwapStatus
          1 capacity int
        ContainerImage
          1 names text*
          2 sizeBytes int!
        ObjectReference
          1 kind text!
          2 namespace text!
          3 name text!
          4 uid text!
          5 apiVersion text!
          6 resourceVersion text!
          7 fieldPath text!
        Event
          1 metadata ObjectMeta!
          2 involvedObject ObjectReference!
          3 reason text!
          4 message text!
          5 source EventSource!
          6 firstTimestamp time!
          7 lastTimestamp time!
          8 count int!
          9 type text!
          10 eventTime microtime!
          11 series EventSeries
          12 action text!
          13 related ObjectReference
          14 reportingComponent text!
          15 reportingInstance text!
        EventSource
          1 component text!
          2 host text!
        EventSeries
          1 count int!
          2 lastObservedTime microtime!
        EndpointSlice
          1 metadata ObjectMeta!
          4 addressType text!
          2 endpoints Endpoint*
          3 ports EndpointPort*
        Endpoint
          1 addresses text*
          2 conditions EndpointConditions!
          3 hostname text
          4 targetRef ObjectReference
          5 deprecatedTopology map
          6 nodeName text
          7 zone text
          8 hints EndpointHints
        EndpointConditions
          1 ready bool
          2 serving bool
          3 terminating bool
        EndpointHints
          1 forZones ForZone*
          2 forNodes ForNode*
        ForZone
          1 name text!
        ForNode
          1 name text!
        EndpointPort
          1 name text
          2 protocol text
          3 port int
          4 appProtocol text
        ServiceCIDR
          1 metadata ObjectMeta!
          2 spec ServiceCIDRSpec!
          3 status ServiceCIDRStatus!
        ServiceCIDRSpec
          1 cidrs text*
        ServiceCIDRStatus
          1 conditions Condition*
        events.Event
          1 metadata ObjectMeta!
          2 eventTime microtime!
          3 series events.EventSeries
          4 reportingController text!
          5 reportingInstance text!
          6 action text!
          7 reason text!
          8 regarding ObjectReference!
          9 related ObjectReference
          10 note text!
          11 type text!
          12 deprecatedSource EventSource!
          13 deprecatedFirstTimestamp time!
          14 deprecatedLastTimestamp time!
          15 deprecatedCount int!
        events.EventSeries
          1 count int!
          2 lastObservedTime microtime!
        """;
}
