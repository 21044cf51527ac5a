// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using EbpfLb.FakeApi.Store;

namespace EbpfLb.FakeApi.Builders;

public sealed class ServiceCidrBuilder : ObjectBuilder<ServiceCidrBuilder>
{
    internal ServiceCidrBuilder(string name, string[] cidrs) : base(ResourceType.ServiceCidrs, null, name)
    {
        Json["spec"] = new JsonObject { ["cidrs"] = ListOf(cidrs) };
        Json["status"] = new JsonObject();
    }
}
