// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Bench.Comparison.Results;

/// <summary>A question that is asked of every mode.</summary>
/// <param name="Id">Of the JSON file.</param>
/// <param name="Title">For tables and charts.</param>
/// <param name="Meaning">What it says to who runs a cluster, in a sentence.</param>
/// <param name="MoreIsBetter">Else less is.</param>
internal sealed record Measure(string Id, string Title, string Unit, bool MoreIsBetter, string Meaning)
{
    /// <summary>Where the title has no room.</summary>
    public string Short { get; init; } = Title;

    public static Measure PodToClusterIp { get; } = new(
        "tcp-pod-clusterip", "New TCP connections, pod to ClusterIP", "connections/s", true,
        "How many connections a pod can open to services of the cluster.")
    {
        Short = "Pod to ClusterIP",
    };

    public static Measure HostToClusterIp { get; } = new(
        "tcp-host-clusterip", "New TCP connections, node to ClusterIP", "connections/s", true,
        "The same for a process on the network of the node, such as the kubelet.")
    {
        Short = "Node to ClusterIP",
    };

    public static Measure NodePortLocal { get; } = new(
        "tcp-nodeport-local", "New TCP connections, client to NodePort, backend on the node", "connections/s", true,
        "What a client outside gets whose connection ends on the node it dialled.")
    {
        Short = "NodePort, backend on the node",
    };

    public static Measure NodePortRemote { get; } = new(
        "tcp-nodeport-remote", "New TCP connections, client to NodePort, backend on another node", "connections/s", true,
        "What a client outside gets whose connection is forwarded to another node.")
    {
        Short = "NodePort, backend on another node",
    };

    public static Measure LoadBalancer { get; } = new(
        "tcp-loadbalancer", "New TCP connections, client to a load balancer's address", "connections/s", true,
        "The same through the address that a load balancer gave the service.")
    {
        Short = "Load balancer's address",
    };

    public static Measure RequestResponse { get; } = new(
        "tcp-request", "Requests on kept connections, pod to ClusterIP", "requests/s", true,
        "What a connection that is already open costs per request.")
    {
        Short = "Requests on kept connections",
    };

    public static Measure UdpPackets { get; } = new(
        "udp-nodeport", "UDP requests and answers, client to NodePort", "answers/s", true,
        "Datagrams that came back, of many clients outside.")
    {
        Short = "UDP through a NodePort",
    };

    public static Measure Throughput { get; } = new(
        "tcp-throughput", "Bulk transfer, pod to ClusterIP", "Mbit/s", true,
        "How fast one connection moves data.")
    {
        Short = "Bulk transfer",
    };

    public static Measure CpuSeconds { get; } = new(
        "cpu", "Processor time of 100,000 connections, pod to ClusterIP", "s", false,
        "What the whole machine spends, client and server and softirqs included; it is saturated, so this is near the inverse of the rate.")
    {
        Short = "Processor time",
    };

    public static Measure Bystander { get; } = new(
        "tcp-bystander", "New TCP connections that use no service", "connections/s", true,
        "What the mere presence of services costs traffic that uses none.")
    {
        Short = "Traffic that uses no service",
    };

    public static Measure EndpointChange { get; } = new(
        "endpoint-change", "From an endpoint's change to the first connection on the new backend", "ms", false,
        "How long clients go on being sent to a backend that is gone.")
    {
        Short = "An endpoint's change",
    };

    public static Measure Programming { get; } = new(
        "programming", "From nothing to all services programmed", "ms", false,
        "How long a node that boots waits for its services.")
    {
        Short = "Programming all services",
    };

    public static Measure KernelMemory { get; } = new(
        "kernel-memory", "Memory of the rules or maps in the kernel", "MB", false,
        "What the services occupy in the kernel.")
    {
        Short = "Memory in the kernel",
    };

    public static Measure ProxyMemory { get; } = new(
        "proxy-memory", "Memory of the proxy's process", "MB", false,
        "Resident memory of what programs the kernel.")
    {
        Short = "Memory of the proxy",
    };

    /// <summary>In the order of the report.</summary>
    public static IReadOnlyList<Measure> All { get; } =
    [
        PodToClusterIp, HostToClusterIp, NodePortLocal, NodePortRemote, LoadBalancer, Bystander, RequestResponse, UdpPackets, Throughput,
        CpuSeconds, EndpointChange, Programming, KernelMemory, ProxyMemory,
    ];

    public static Measure Named(string id) =>
        All.FirstOrDefault(measure => measure.Id == id) ?? throw new BenchException($"no measure has the name '{id}'");
}
