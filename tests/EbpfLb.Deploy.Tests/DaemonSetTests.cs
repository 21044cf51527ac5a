// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.RegularExpressions;

namespace EbpfLb.Deploy.Tests;

public sealed partial class DaemonSetTests
{
    private const string Pod = "spec.template.spec";
    private const string Container = Pod + ".containers.0";

    private static readonly Manifest DaemonSet = Manifest.Read("base/daemonset.yaml");

    [Fact]
    public void S193_The_container_has_three_capabilities_and_no_way_to_more()
    {
        const string Security = Container + ".securityContext";
        Assert.Equal(["BPF", "NET_ADMIN", "PERFMON"], DaemonSet.List($"{Security}.capabilities.add"));
        Assert.Equal(["ALL"], DaemonSet.List($"{Security}.capabilities.drop"));
        Assert.Equal(
            ("false", "false", "true", "RuntimeDefault"),
            (DaemonSet.Text($"{Security}.privileged"), DaemonSet.Text($"{Security}.allowPrivilegeEscalation"),
                DaemonSet.Text($"{Security}.readOnlyRootFilesystem"), DaemonSet.Text($"{Security}.seccompProfile.type")));
        Assert.False(DaemonSet.Has($"{Pod}.hostPID"));
        Assert.False(DaemonSet.Has($"{Pod}.hostIPC"));
        Assert.False(DaemonSet.Has($"{Pod}.initContainers"));
        Assert.Single(DaemonSet.Items($"{Pod}.containers"));
    }

    [Fact]
    public void The_host_lends_three_directories_which_are_mounted_where_the_arguments_say()
    {
        var mounts = DaemonSet.Items($"{Container}.volumeMounts").ToDictionary(mount => mount.Text("name"));
        var volumes = DaemonSet.Items($"{Pod}.volumes");
        Assert.Equal(volumes.Select(volume => volume.Text("name")), mounts.Keys);

        var lent = volumes.Where(volume => volume.Has("hostPath")).ToDictionary(
            volume => volume.Text("hostPath.path"), volume => mounts[volume.Text("name")]);
        Assert.Equal(["/proc/sys/net", "/sys/fs/bpf", "/sys/fs/cgroup"], lent.Keys.Order(StringComparer.Ordinal));
        Assert.All(
            volumes.Where(volume => volume.Has("hostPath")), volume => Assert.Equal("Directory", volume.Text("hostPath.type")));
        Assert.All(mounts.Values, mount => Assert.False(mount.Has("mountPropagation")));
        Assert.Equal("true", lent["/sys/fs/cgroup"].Text("readOnly"));

        Assert.Equal(lent["/sys/fs/bpf"].Text("mountPath"), Argument("--bpffs"));
        Assert.Equal(lent["/sys/fs/cgroup"].Text("mountPath"), Argument("--cgroup"));
        Assert.Equal(lent["/proc/sys/net"].Text("mountPath"), Argument("--proc-sys") + "/net");
        Assert.StartsWith(mounts["config"].Text("mountPath") + "/", Argument("--config"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_probes_ask_where_the_configuration_says_that_the_agent_answers()
    {
        var config = Manifest.Read("base/config.conf");
        string port = Assert.Single(DaemonSet.Items($"{Container}.ports")).Text("containerPort");
        Assert.EndsWith(":" + port, config.Text("healthzBindAddress"), StringComparison.Ordinal);
        Assert.Equal(
            ["/livez", "/livez", "/healthz"],
            new[] { "startupProbe", "livenessProbe", "readinessProbe" }.Select(probe => DaemonSet.Text($"{Container}.{probe}.httpGet.path")));
    }

    [Fact]
    public void The_configuration_and_its_kubeconfig_are_the_files_of_the_config_map()
    {
        string[] files = Assert.Single(Manifest.Read("base/kustomization.yaml").Items("configMapGenerator")).List("files");
        Assert.Equal(["config.conf", "kubeconfig.conf"], files);
        Assert.Equal("config.conf", Path.GetFileName(Argument("--config")));
        string kubeconfig = Manifest.Read("base/config.conf").Text("clientConnection.kubeconfig");
        Assert.Equal("kubeconfig.conf", Path.GetFileName(kubeconfig));
        Assert.Equal(Path.GetDirectoryName(Argument("--config")), Path.GetDirectoryName(kubeconfig));
        // As kubeadm has it, so that its ConfigMap can take the place of ours.
        Assert.Equal("/var/lib/kube-proxy", Path.GetDirectoryName(kubeconfig));
    }

    [Fact]
    public async Task Every_option_is_one_of_the_agent()
    {
        var help = await Shell.RunAsync(Path.Combine(AppContext.BaseDirectory, "ebpflb"), ["agent", "--help"]);
        Assert.Equal(0, help.ExitCode);
        var known = OptionName().Matches(help.Output).Select(match => match.Value).ToHashSet();
        string[] arguments = DaemonSet.List($"{Container}.args");
        Assert.Equal("agent", arguments[0]);
        Assert.All(arguments.Skip(1), argument => Assert.Contains(argument.Split('=')[0], known));
    }

    [Fact]
    public async Task The_agent_has_nothing_against_the_arguments_and_the_configuration()
    {
        using var directory = new TemporaryDirectory();
        string config = File.ReadAllText(Path.Combine(Manifest.Folder, "base/config.conf"));
        foreach (string file in (string[])["config.conf", "kubeconfig.conf"])
            File.Copy(Path.Combine(Manifest.Folder, "base", file), directory.Combine(file));
        File.WriteAllText(
            directory.Combine("config.conf"), config.Replace("/var/lib/kube-proxy", directory.Path, StringComparison.Ordinal));
        var arguments = DaemonSet.List($"{Container}.args").Select(argument => argument.Split('=') switch
        {
            ["--config", _] => "--config=" + directory.Combine("config.conf"),
            ["--proc-sys", _] => "--proc-sys=/proc/sys",
            ["--node-name", _] => "--node-name=n1",
            _ => argument,
        });

        // It tells all that is wrong at once: what is made wrong here must be the only thing.
        var result = await Shell.RunAsync(Path.Combine(AppContext.BaseDirectory, "ebpflb"), [.. arguments, "--xdp=none"]);
        Assert.Equal(2, result.ExitCode);
        string error = Assert.Single(result.Output.Split('\n'), line => line.StartsWith("error: ", StringComparison.Ordinal));
        Assert.StartsWith("error: --xdp none: ", error, StringComparison.Ordinal);
        Assert.DoesNotContain("warn", result.Output, StringComparison.OrdinalIgnoreCase);
    }

    private static string Argument(string name) => Assert
        .Single(DaemonSet.List($"{Container}.args"), argument => argument.StartsWith(name + "=", StringComparison.Ordinal))[(name.Length + 1)..];

    [GeneratedRegex(@"--[a-z][a-z-]+")]
    private static partial Regex OptionName();
}
