// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using EbpfLb.FakeApi.Store;

namespace EbpfLb.FakeApi.Builders;

public sealed class NodeBuilder : ObjectBuilder<NodeBuilder>
{
    internal NodeBuilder(string name) : base(ResourceType.Nodes, null, name)
    {
        Json["spec"] = new JsonObject();
        Json["status"] = new JsonObject();
    }

    public NodeBuilder Zone(string zone) => Label("topology.kubernetes.io/zone", zone);

    public NodeBuilder Address(string address, string type = "InternalIP") =>
        With(() => ListIn(ObjectIn(Json, "status"), "addresses").Add(new JsonObject { ["type"] = type, ["address"] = address }));

    public NodeBuilder PodCidr(params string[] cidrs) => With(() =>
    {
        ObjectIn(Json, "spec")["podCIDR"] = cidrs[0];
        ObjectIn(Json, "spec")["podCIDRs"] = ListOf(cidrs);
    });

    public NodeBuilder Taint(string key, string effect = "NoSchedule") =>
        With(() => ListIn(ObjectIn(Json, "spec"), "taints").Add(new JsonObject { ["key"] = key, ["effect"] = effect }));
}
