// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json;
using EbpfLb.Kubernetes.Api;

namespace EbpfLb.Kubernetes.Tests.Api.Wire;

/// <summary>Bodies of responses of a real API server, each in both encodings.</summary>
internal static class Recordings
{
    public const string Protobuf = "application/vnd.kubernetes.protobuf";
    public const string ProtobufWatch = "application/vnd.kubernetes.protobuf;stream=watch";
    public const string Json = "application/json";

    public static byte[] Read(string name)
    {
        using var stream = typeof(Recordings).Assembly.GetManifestResourceStream("recorded/" + name)
            ?? throw new ArgumentException($"There is no recording {name}.", nameof(name));
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    /// <summary>The collection that the recording's name begins with.</summary>
    public static ApiResource ResourceOf(string name) => name.StartsWith("services", StringComparison.Ordinal)
        ? ApiResource.Services : name.StartsWith("node", StringComparison.Ordinal) ? ApiResource.Node("node-a") : ApiResource.EndpointSlices;

    /// <summary>All fields of a value, to compare.</summary>
    public static string Describe<T>(T value) => JsonSerializer.Serialize(value, DescribeOptions);

    private static readonly JsonSerializerOptions DescribeOptions = new() { WriteIndented = true };
}
