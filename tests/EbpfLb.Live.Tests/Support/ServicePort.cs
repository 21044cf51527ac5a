// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Live.Tests.Support;

/// <summary>A port of a service, or of a slice: the name is what joins them.</summary>
internal sealed record ServicePort(string Name, string Protocol, int Number, int NodePort = 0)
{
    public string ToYaml() =>
        $"{{name: {Name}, protocol: {Protocol}, port: {Number}{(NodePort == 0 ? "" : $", nodePort: {NodePort}")}}}";
}
