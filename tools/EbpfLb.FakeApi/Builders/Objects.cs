// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.FakeApi.Builders;

/// <summary>Where objects begin; made for <c>using static</c>.</summary>
public static class Objects
{
    public static ServiceBuilder Service(string @namespace, string name) => new(@namespace, name);

    /// <param name="service">The label that binds the slice to it; null leaves the label away.</param>
    public static SliceBuilder Slice(string @namespace, string name, string? service = null) => new(@namespace, name, service);

    public static NodeBuilder Node(string name) => new(name);

    public static ServiceCidrBuilder ServiceCidr(string name, params string[] cidrs) => new(name, cidrs);
}
