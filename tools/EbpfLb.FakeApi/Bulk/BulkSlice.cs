// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using System.Text.Json.Nodes;
using EbpfLb.FakeApi.Store;
using EbpfLb.FakeApi.Wire;

namespace EbpfLb.FakeApi.Bulk;

/// <summary>A slice that knows how to write itself.</summary>
/// <param name="firstAddress">Of its endpoints, as a number; the others follow.</param>
internal sealed class BulkSlice(string service, string name, uint firstAddress, int count, int nodes, TimeProvider time)
{
    public const string Created = "2026-01-01T00:00:00Z";
    private const string ServiceLabel = "kubernetes.io/service-name";
    private const string TriggerAnnotation = "endpoints.kubernetes.io/last-change-trigger-time";

    // 10.64.0.0 and on, which nothing else has.
    private const uint ElsewhereBit = 0x00400000;

    [ThreadStatic]
    private static ReverseWriter? _writer;

    private int _generation;
    private bool _moved;

    public string Service => service;

    public string Name => name;

    public bool FirstIsReady { get; private set; } = true;

    public string FirstAddress => AddressOf(0);

    public static string UidOf(string name) =>
        new Guid(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 16)).ToString();

    public void Flip(ChangeKind kind)
    {
        _generation++;
        if (kind == ChangeKind.Ready)
            FirstIsReady = !FirstIsReady;
        else
            _moved = !_moved;
    }

    public StoredObject Encode(long version)
    {
        var writer = _writer ??= new ReverseWriter();
        writer.Clear();
        writer.Text(4, "IPv4");
        int before = writer.Length;
        writer.Integer(3, 8080);
        writer.Text(2, "TCP");
        writer.Text(1, "http");
        writer.EndOfMessage(3, before);
        for (int index = count - 1; index >= 0; index--)
            WriteEndpoint(writer, index);
        writer.Bytes(1, ProtobufEncoder.Encode("ObjectMeta", Metadata(version)));
        var labels = new Dictionary<string, string>(1) { [ServiceLabel] = service };
        return new StoredObject(ResourceType.EndpointSlices, BulkCluster.Namespace, name, version, labels, "", writer.ToArray());
    }

    private void WriteEndpoint(ReverseWriter writer, int index)
    {
        int node = index % nodes;
        int start = writer.Length;
        writer.Text(7, $"zone-{node % 3}");
        writer.Text(6, $"node-{node}");
        int before = writer.Length;
        writer.Text(7, "");
        writer.Text(6, "");
        writer.Text(5, "");
        writer.Text(4, "3bbe02af-7aac-4d11-a55e-a10a7bca6fd8");
        writer.Text(3, $"{name}-pod-{index}");
        writer.Text(2, BulkCluster.Namespace);
        writer.Text(1, "Pod");
        writer.EndOfMessage(4, before);
        before = writer.Length;
        bool ready = index > 0 || FirstIsReady;
        writer.Integer(3, 0);
        writer.Integer(2, ready ? 1 : 0);
        writer.Integer(1, ready ? 1 : 0);
        writer.EndOfMessage(2, before);
        writer.Text(1, AddressOf(index));
        writer.EndOfMessage(2, start);
    }

    private string AddressOf(int index)
    {
        uint address = firstAddress + (uint)index;
        if (index == 0 && _moved)
            address = (address & 0x003fffff) | 0x0a000000 | ElsewhereBit;
        return $"{address >> 24}.{address >> 16 & 0xff}.{address >> 8 & 0xff}.{address & 0xff}";
    }

    private JsonObject Metadata(long version) => new()
    {
        ["name"] = name,
        ["generateName"] = service + "-",
        ["namespace"] = BulkCluster.Namespace,
        ["uid"] = UidOf(name),
        ["resourceVersion"] = StoredObject.Text64(version),
        ["generation"] = _generation + 1,
        ["creationTimestamp"] = Created,
        ["labels"] = new JsonObject
        {
            ["endpointslice.kubernetes.io/managed-by"] = "endpointslice-controller.k8s.io",
            [ServiceLabel] = service,
        },
        ["annotations"] = new JsonObject
        {
            [TriggerAnnotation] = _generation == 0 ? Created : time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'"),
        },
        ["ownerReferences"] = new JsonArray(new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Service",
            ["name"] = service,
            ["uid"] = UidOf(service),
            ["controller"] = true,
            ["blockOwnerDeletion"] = true,
        }),
        ["managedFields"] = new JsonArray(new JsonObject
        {
            ["manager"] = "kube-controller-manager",
            ["operation"] = "Update",
            ["apiVersion"] = "discovery.k8s.io/v1",
            ["time"] = Created,
            ["fieldsType"] = "FieldsV1",
            ["fieldsV1"] = new JsonObject
            {
                ["f:addressType"] = new JsonObject(),
                ["f:endpoints"] = new JsonObject(),
                ["f:metadata"] = new JsonObject
                {
                    ["f:annotations"] = new JsonObject { ["."] = new JsonObject(), ["f:" + TriggerAnnotation] = new JsonObject() },
                    ["f:generateName"] = new JsonObject(),
                    ["f:labels"] = new JsonObject { ["."] = new JsonObject(), ["f:" + ServiceLabel] = new JsonObject() },
                },
                ["f:ports"] = new JsonObject(),
            },
        }),
    };
}
