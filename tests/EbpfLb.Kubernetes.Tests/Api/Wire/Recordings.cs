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

    private static readonly JsonSerializerOptions DescribeOptions = new() { WriteIndented = true };

    public static byte[] Read(string name) => File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Api", "Wire", "Recorded", name));

    /// <summary>Whose list or watch it is.</summary>
    public static ApiResource ResourceOf(string name) =>
        name.StartsWith("services", StringComparison.Ordinal) ? ApiResource.Services : ApiResource.EndpointSlices;

    /// <summary>All fields of a value, to compare.</summary>
    public static string Describe<T>(T value) => JsonSerializer.Serialize(value, DescribeOptions);
}
