// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.FakeApi.Builders;
using EbpfLb.FakeApi.Store;
using EbpfLb.FakeApi.Wire;

namespace EbpfLb.FakeApi.Bulk;

internal static class BulkService
{
    public static StoredObject Encode(string name, string clusterIP, long version)
    {
        var json = Objects.Service(BulkCluster.Namespace, name).ClusterIP(clusterIP).Port(80, "http")
            .Label("app", name).Uid(BulkSlice.UidOf(name)).Created(BulkSlice.Created)
            .Set("metadata.resourceVersion", StoredObject.Text64(version))
            .Build();
        return new StoredObject(
            ResourceType.Services, BulkCluster.Namespace, name, version, new Dictionary<string, string> { ["app"] = name }, clusterIP,
            ProtobufEncoder.Encode("Service", json));
    }
}
