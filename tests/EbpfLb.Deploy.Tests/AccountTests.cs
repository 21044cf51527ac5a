// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Deploy.Tests;

/// <summary>What the agent may ask of the API server.</summary>
public sealed class AccountTests
{
    private static readonly string[] Needed =
    [
        "/nodes get", "/nodes list", "/nodes watch",
        "/services list", "/services watch",
        "discovery.k8s.io/endpointslices list", "discovery.k8s.io/endpointslices watch",
        "events.k8s.io/events create", "events.k8s.io/events patch",
        "networking.k8s.io/servicecidrs list", "networking.k8s.io/servicecidrs watch",
    ];

    [Fact]
    public void S195_The_role_allows_what_is_needed_and_nothing_else()
    {
        var role = Manifest.Read("base/clusterrole.yaml");
        Assert.Equal("ClusterRole", role.Text("kind"));
        Assert.Equal(["apiVersion", "kind", "metadata", "rules"], role.Keys(""));

        var rules = role.Items("rules");
        Assert.All(rules, rule => Assert.Equal(["apiGroups", "resources", "verbs"], rule.Keys("")));
        var allowed =
            from rule in rules
            from apiGroup in rule.List("apiGroups")
            from resource in rule.List("resources")
            from verb in rule.List("verbs")
            select $"{apiGroup}/{resource} {verb}";
        Assert.Equal(Needed, allowed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_role_is_bound_to_the_account_that_the_pods_have()
    {
        var role = Manifest.Read("base/clusterrole.yaml");
        var account = Manifest.Read("base/serviceaccount.yaml");
        var binding = Manifest.Read("base/clusterrolebinding.yaml");
        Assert.Equal(("ClusterRole", role.Text("metadata.name")), (binding.Text("roleRef.kind"), binding.Text("roleRef.name")));
        var subject = Assert.Single(binding.Items("subjects"));
        Assert.Equal(
            ("ServiceAccount", account.Text("metadata.name"), account.Text("metadata.namespace")),
            (subject.Text("kind"), subject.Text("name"), subject.Text("namespace")));

        var daemonSet = Manifest.Read("base/daemonset.yaml");
        Assert.Equal(
            (account.Text("metadata.name"), account.Text("metadata.namespace")),
            (daemonSet.Text("spec.template.spec.serviceAccountName"), daemonSet.Text("metadata.namespace")));
    }
}
