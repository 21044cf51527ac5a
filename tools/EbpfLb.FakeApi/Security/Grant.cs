// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.FakeApi.Security;

/// <summary>What somebody may do.</summary>
/// <param name="Verbs">Such as list and watch; <c>*</c> is all.</param>
/// <param name="Resources">As RBAC calls them, such as endpointslices.discovery.k8s.io; <c>*</c> is all.</param>
public sealed record Grant(IReadOnlyList<string> Verbs, IReadOnlyList<string> Resources)
{
    public static Grant Everything { get; } = new(["*"], ["*"]);

    public bool Allows(string verb, string resource) =>
        (Verbs.Contains("*") || Verbs.Contains(verb)) && (Resources.Contains("*") || Resources.Contains(resource));
}
