// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using EbpfLb.Agent;
using EbpfLb.Cli.Tests.Support;

namespace EbpfLb.Cli.Tests;

public sealed class AgentSourceTests : IDisposable
{
    private const string PodVariable = "KUBERNETES_SERVICE_HOST";

    private readonly TemporaryDirectory _root = new();

    private string First => File("first.conf");

    private string Second => File("second.conf");

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Kubeconfigs_are_taken_in_order_with_context_and_server()
    {
        var options = Start([], "--kubeconfig", First, "--kubeconfig", Second, "--context", "blue", "--server", "https://192.0.2.1:6443");
        Assert.Null(options.Manifests);
        Assert.Equal([First, Second], options.Api!.Kubeconfigs);
        Assert.Equal(("blue", "https://192.0.2.1:6443"), (options.Api.Context, options.Api.Server));
        Assert.Equal("https://a.example", Start([], "--master=https://a.example").Api!.Server);
    }

    [Fact]
    public void KUBECONFIG_may_name_several_files_of_which_some_are_missing()
    {
        var environment = new Dictionary<string, string> { ["KUBECONFIG"] = $"{First}::/nonexistent:{Second}", [PodVariable] = "10.96.0.1" };
        Assert.Equal([First, Second], Start(environment).Api!.Kubeconfigs);
        Assert.Equal([Second], Start(environment, "--kubeconfig", Second).Api!.Kubeconfigs);
    }

    [Fact]
    public void In_a_pod_its_service_account_is_used_when_nothing_else_is_named()
    {
        var pod = new Dictionary<string, string> { [PodVariable] = "10.96.0.1" };
        Assert.Equal((null, null, 0), Describe(Start(pod)));
        Assert.Equal(("https://a.example", null, 0), Describe(Start(pod, "--server", "https://a.example")));
        Assert.Equal((null, null, 0), Describe(Start(pod, "--kubeconfig=", "--master=")));

        static (string? Server, string? Context, int Files) Describe(AgentOptions options) =>
            (options.Api!.Server, options.Api.Context, options.Api.Kubeconfigs.Count);
    }

    [Fact]
    public void Manifests_that_are_named_win_over_the_surroundings_and_over_the_file()
    {
        string config = Config($"clientConnection:\n  kubeconfig: {First}\n");
        var environment = new Dictionary<string, string> { ["KUBECONFIG"] = First, [PodVariable] = "10.96.0.1" };
        var options = Start(environment, "--manifests", "/tmp", "--config", config);
        Assert.Equal("/tmp", options.Manifests);
        Assert.Null(options.Api);
    }

    [Fact]
    public void The_kubeconfig_of_the_file_gives_way_to_one_on_the_line_and_goes_before_the_environment()
    {
        string config = Config($"clientConnection:\n  kubeconfig: {First}\n");
        var environment = new Dictionary<string, string> { ["KUBECONFIG"] = Second };
        Assert.Equal([First], Start(environment, "--config", config).Api!.Kubeconfigs);
        Assert.Equal([Second], Start([], "--config", config, "--kubeconfig", Second).Api!.Kubeconfigs);
    }

    [Fact]
    public void Without_any_source_the_three_ways_are_told()
    {
        var result = Shell.Run("agent");
        Assert.Equal(ExitCode.WrongUsage, result.ExitCode);
        string error = Assert.Single(Errors(result));
        Assert.All(
            ["--kubeconfig FILE", "KUBECONFIG", "--config FILE", "in a pod of the cluster", "--manifests DIR"],
            way => Assert.Contains(way, error, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--manifests and --kubeconfig: services come from one source.", "--manifests", "/", "--kubeconfig", "/etc/passwd")]
    [InlineData("--manifests and --server: services come from one source.", "--manifests", "/", "--server", "https://a.example")]
    [InlineData("--manifests and --context: services come from one source.", "--manifests", "/", "--context", "blue")]
    [InlineData("--kubeconfig /nonexistent: there is no such file.", "--kubeconfig", "/nonexistent")]
    [InlineData("--context blue: there is no kubeconfig to have it.", "--context", "blue", "--server", "https://a.example")]
    [InlineData("--server a.example: this is not the URL of an API server", "--server", "a.example")]
    [InlineData("--server ftp://a.example: this is not the URL of an API server", "--server", "ftp://a.example")]
    [InlineData("--server /a: this is not the URL of an API server", "--server", "/a")]
    public void A_wrong_source_is_told(string expected, params string[] line)
    {
        var result = Shell.Run(["agent", .. line]);
        Assert.Equal(ExitCode.WrongUsage, result.ExitCode);
        Assert.StartsWith($"error: {expected}", Assert.Single(Errors(result)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_kubeconfig_that_the_file_or_the_environment_names_must_be_there()
    {
        string config = Config("clientConnection:\n  kubeconfig: /var/lib/nonexistent/kubeconfig.conf\n");
        string error = Assert.Single(Errors(Shell.Run("agent", "--config", config)));
        Assert.StartsWith(
            $"error: {config}: clientConnection.kubeconfig: there is no file /var/lib/nonexistent/kubeconfig.conf.", error,
            StringComparison.Ordinal);

        var shell = new Shell { Environment = new Dictionary<string, string> { ["KUBECONFIG"] = "/nonexistent" } };
        Assert.StartsWith(
            "error: KUBECONFIG=/nonexistent: there is no such file.", Assert.Single(Errors(shell.Type("agent"))), StringComparison.Ordinal);
    }

    [Fact]
    public void With_an_API_server_the_node_is_set_as_kube_proxy_sets_it_and_with_manifests_it_is_left()
    {
        var cluster = Start([], "--kubeconfig", First);
        Assert.Equal((new ConntrackSysctls(), -999), (cluster.ConntrackSysctls, cluster.OomScoreAdj));
        Assert.Equal(new ServingOptions(), cluster.Serving);

        var manifests = Start([], "--manifests", "/tmp");
        Assert.Equal((ConntrackSysctls.LeaveAll, null), (manifests.ConntrackSysctls, manifests.OomScoreAdj));
        Assert.Equal(new ServingOptions(), manifests.Serving);
        Assert.Empty(manifests.Warnings);
    }

    [Theory]
    [InlineData("--node-name", "Node-7", "node-7")]
    [InlineData("--hostname-override", " Node-7 ", "node-7")]
    [InlineData("--hostname-override", "", null)]
    public void The_name_of_the_node_has_no_upper_case(string option, string typed, string? expected) =>
        Assert.Equal(expected ?? Dns.GetHostName().ToLowerInvariant(), Start([], "--manifests", "/tmp", $"{option}={typed}").NodeName);

    private static string[] Errors(Shell.Result result) =>
        [.. result.Error.Split('\n').Where(line => line.StartsWith("error: ", StringComparison.Ordinal))];

    private static AgentOptions Start(Dictionary<string, string> environment, params string[] line)
    {
        var shell = new Shell { Environment = environment };
        var result = shell.Type(["agent", .. line]);
        Assert.Equal((ExitCode.Done, ""), (result.ExitCode, result.Error));
        return shell.Started!;
    }

    private string Config(string text)
    {
        string path = _root.Combine("config.conf");
        System.IO.File.WriteAllText(path, $"apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n{text}");
        return path;
    }

    private string File(string name)
    {
        string path = _root.Combine(name);
        System.IO.File.WriteAllText(path, "");
        return path;
    }
}
