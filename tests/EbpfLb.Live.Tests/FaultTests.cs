// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Files;
using EbpfLb.Linux.Processes;
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>Surroundings in which an agent cannot work, or not fully: it says what is wrong and what to do, and breaks nothing.</summary>
public sealed class FaultTests
{
    private const string WebService =
        """
        apiVersion: v1
        kind: Service
        metadata: {name: web, namespace: default}
        spec: {clusterIP: 10.96.0.10, ports: [{port: 80}]}

        """;

    [PrivilegedFact]
    public async Task A_missing_manifest_directory_is_wrong_usage()
    {
        using var ground = new AgentGround();
        Directory.Delete(ground.Manifests.Path);
        AssertRefused(
            await ground.Agent().RunToEndAsync(), 2,
            $"--manifests {ground.Manifests.Path}: there is no such directory. Create it, or name another.\nTry 'ebpflb agent --help'.");
    }

    [PrivilegedFact]
    public async Task A_manifest_directory_that_may_not_be_listed_is_named()
    {
        using var ground = new AgentGround();
        File.SetUnixFileMode(ground.Manifests.Path, UnixFileMode.None);
        AssertRefused(
            await ground.Agent().RunToEndAsync(Without("dac_override", "dac_read_search")), 1,
            $"The manifest directory '{ground.Manifests.Path}' may not be listed. Give the agent's user read and search permission on it "
            + "and on the directories above it.");
    }

    [PrivilegedFact]
    public async Task S171_a_bpffs_that_does_not_exist_is_named()
    {
        using var ground = new AgentGround();
        string absent = ground.Combine("absent");
        AssertRefused(
            await ground.Agent(bpffs: absent).RunToEndAsync(), 1,
            $"--bpffs {absent} cannot be opened: open directory {absent}: ENOENT (No such file or directory)");
    }

    [PrivilegedFact]
    public async Task S171_a_directory_that_is_no_bpffs_is_refused_with_the_command_that_makes_it_one()
    {
        using var ground = new AgentGround();
        string plain = ground.Combine("plain");
        Directory.CreateDirectory(plain);
        AssertRefused(
            await ground.Agent(bpffs: plain).RunToEndAsync(), 1,
            $"--bpffs {plain} is not on a BPF file system. Mount one there: mount -t bpf bpf {plain}");
        Assert.Empty(Directory.GetFileSystemEntries(plain));
    }

    [PrivilegedFact]
    public async Task S171_a_read_only_bpffs_is_refused()
    {
        using var ground = new AgentGround();
        string readOnly = ground.Combine("readonly");
        Directory.CreateDirectory(readOnly);
        await Programs.OutputOfAsync("mount", "-t", "bpf", "-o", "ro", "none", readOnly);
        try
        {
            AssertRefused(
                await ground.Agent(bpffs: readOnly).RunToEndAsync(), 1,
                $"{readOnly}/ebpflb cannot be created: Read-only file system : '{readOnly}/ebpflb' "
                + "The BPF file system must be writable for the agent (it runs as root).");
        }
        finally
        {
            Mounts.Unmount(readOnly);
        }
    }

    [PrivilegedFact]
    public async Task S171_a_bpffs_that_is_hidden_is_not_replaced_by_one_that_only_the_agent_would_see()
    {
        using var ground = new AgentGround();
        const string Script =
            """
            for mount in $(awk '$3 == "bpf" { print $2 }' /proc/self/mounts); do umount --lazy "$mount" || exit 99; done
            exec "$0" "$@"
            """;
        var result = await Programs.RunAsync(
            "unshare",
            [
                "--mount", "--propagation", "private", "sh", "-c", Script, Programs.Ebpflb, "agent", "--manifests", ground.Manifests.Path,
                "--cgroup", ground.Cgroup, .. LiveAgent.Restraints,
            ]);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(
            "No BPF file system is mounted in this mount namespace. Mount one on the host: mount -t bpf bpf /sys/fs/bpf", result.StdErr,
            StringComparison.Ordinal);
        Assert.Contains("Started through 'ip netns exec'?", result.StdErr, StringComparison.Ordinal);
    }

    [PrivilegedFact]
    public async Task S172_a_cgroup2_mount_that_goes_while_the_agent_runs_takes_nothing_with_it()
    {
        using var ground = new AgentGround();
        string second = ground.Combine("cgroup2");
        Directory.CreateDirectory(second);
        await Programs.OutputOfAsync("mount", "-t", "cgroup2", "none", second);
        bool isMounted = true;
        try
        {
            string inSecond = Path.Combine(second, Path.GetFileName(ground.Cgroup));
            Assert.True(Directory.Exists(inSecond), $"{ground.Cgroup} is no child of the root cgroup");
            await using var agent = ground.Agent(cgroup: inSecond);
            await agent.StartAsync();
            int hooks = ForeignProgram.ProgramsOf(ground.Cgroup).Count;
            Assert.NotEqual(0, hooks);
            Mounts.Unmount(second, detach: true);
            isMounted = false;
            await agent.SyncAsync(() => ground.Manifests.Write("web.yaml", WebService));
            Assert.Equal(hooks, ForeignProgram.ProgramsOf(ground.Cgroup).Count);
            Assert.Empty(agent.ReadStatus().Problems);
        }
        finally
        {
            if (isMounted)
                Mounts.Unmount(second, detach: true);
        }
    }

    [PrivilegedFact]
    public async Task S174_a_map_that_the_memory_cgroup_does_not_hold_is_named_and_nothing_is_left_of_it()
    {
        using var ground = new AgentGround();
        using var memory = new MemoryCgroup(300 << 20);
        const string Entries = "100000000";
        var refused = await ground.Agent(options: ["--map-size", $"slots_v1={Entries}"]).RunToEndAsync(
            "sh", "-c", "echo $$ >\"$0\" && exec \"$@\"", memory.ProcessFile);
        Assert.Equal(1, refused.ExitCode);
        Assert.StartsWith($"error: Map slots_v1 cannot be created with {Entries} entries: ", refused.StdErr, StringComparison.Ordinal);
        Assert.EndsWith(
            "ENOMEM (Cannot allocate memory). Choose another --map-size slots_v1=ENTRIES, or give the agent's memory cgroup more.\n",
            refused.StdErr, StringComparison.Ordinal);

        // Nothing half-made is in the way of the next one.
        await using var agent = ground.Agent();
        await agent.StartAsync();
        await agent.SyncAsync(() => ground.Manifests.Write("web.yaml", WebService));
        Assert.Single(agent.ReadSnapshot().Services);
    }

    [PrivilegedFact]
    public async Task S177_too_few_descriptors_are_told_before_anything_else()
    {
        using var ground = new AgentGround();
        AssertRefused(
            await ground.Agent().RunToEndAsync("prlimit", "--nofile=64:64"), 1,
            "This process may have 64 files open, and ebpflb takes up to 256. Raise the limit (ulimit -n; in a systemd unit: LimitNOFILE).");
    }

    [PrivilegedFact]
    public async Task S177_neither_a_read_only_root_nor_a_full_disk_keeps_the_agent_from_serving()
    {
        using var ground = new AgentGround();
        const string Script =
            """
            mount --bind / / && mount -o remount,ro,bind / || exit 99
            mount -t tmpfs -o size=4k none /var/tmp && head -c 1M /dev/zero >/var/tmp/full 2>/dev/null && exit 99
            exec "$0" "$@"
            """;
        await using var agent = ground.Agent();
        agent.Under = ["unshare", "--mount", "--propagation", "private", "sh", "-c", Script];
        await agent.StartAsync();
        await agent.SyncAsync(() => ground.Manifests.Write("web.yaml", WebService));
        Assert.Single(agent.ReadSnapshot().Services);
        Assert.Empty(agent.ReadStatus().Problems);
    }

    [PrivilegedFact]
    public async Task S172_a_cgroup_of_another_file_system_is_refused()
    {
        using var ground = new AgentGround();
        string plain = ground.Combine("plain");
        Directory.CreateDirectory(plain);
        AssertRefused(
            await ground.Agent(cgroup: plain).RunToEndAsync(), 1,
            $"--cgroup {plain} cannot be used: open cgroup {plain}: EINVAL (Invalid argument): it is not on a cgroup2 file system. "
            + "It must be a directory of the cgroup2 hierarchy.");
    }

    [PrivilegedFact]
    public async Task S172_without_a_cgroup2_hierarchy_the_agent_says_how_to_mount_one()
    {
        using var ground = new AgentGround();

        // In a mount namespace of its own; with any cgroup2 left in it, the agent is not even started.
        const string Script =
            """
            for mount in $(awk '$3 == "cgroup2" { print $2 }' /proc/self/mounts); do umount --lazy "$mount" || exit 99; done
            if grep -q ' cgroup2 ' /proc/self/mounts; then exit 99; fi
            exec "$0" "$@"
            """;
        var result = await Programs.RunAsync(
            "unshare",
            [
                "--mount", "--propagation", "private", "sh", "-c", Script, Programs.Ebpflb, "agent", "--manifests", ground.Manifests.Path,
                "--bpffs", ground.BpfFs, .. LiveAgent.Restraints,
            ]);
        AssertRefused(
            result, 1,
            "No cgroup2 hierarchy is mounted (/proc/self/mounts has no entry of type cgroup2), so sockets cannot be balanced. "
            + "Mount it (mount -t cgroup2 none /sys/fs/cgroup/unified), or name one with --cgroup.");
    }

    [PrivilegedFact]
    public async Task A_missing_capability_is_named()
    {
        using var ground = new AgentGround();
        const string Remedy = ", which loading and attaching BPF programs takes. Run it as root, or give it CAP_BPF, CAP_NET_ADMIN and "
            + "CAP_PERFMON (in a pod: securityContext.capabilities.add).";
        AssertRefused(await ground.Agent().RunToEndAsync(Without("bpf", "sys_admin")), 1, $"This process lacks CAP_BPF{Remedy}");
        AssertRefused(
            await ground.Agent().RunToEndAsync(Without("bpf", "net_admin", "perfmon", "sys_admin")), 1,
            $"This process lacks CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON{Remedy}");
        Assert.False(Directory.Exists(ground.Agent().Pins));
    }

    [PrivilegedFact]
    public async Task A_program_that_tolerates_others_runs_beside_ours_and_a_restart_adds_none()
    {
        using var ground = new AgentGround();
        await using var foreign = await ForeignProgram.AttachAsync(ground.BpfFs, ground.Cgroup, multi: true);
        await using var agent = ground.Agent();
        await agent.StartAsync();
        var attached = ForeignProgram.ProgramsOf(ground.Cgroup);
        Assert.Equal(2, attached.Count);
        Assert.Contains(foreign.Id, attached);

        await agent.KillAsync();
        await agent.StartAsync();
        Assert.Equal(attached, ForeignProgram.ProgramsOf(ground.Cgroup));
    }

    [PrivilegedFact]
    public async Task A_file_that_is_bad_from_the_start_keeps_no_other_from_being_served()
    {
        await using var node = await LiveNode.CreateAsync();
        LiveService good = node.NewService(), bad = node.NewService();
        await node.Agent.TerminateAsync();
        node.Agent.Manifests.Write(good.File, Manifests.File([good.Manifest(), .. good.Slices([node.P11.Ready])]));
        node.Agent.Manifests.Write(bad.File, "kind: [\n");
        await node.Agent.StartAsync();

        await Eventually.True(
            () => node.Agent.ReadSnapshot().Services.Any(view => good.Owns(view.Name)), "the good file is served");
        (await node.P12.TcpAsync(good, DialFamily.V4)).AssertAnsweredBy("p11");
        Assert.Contains($"{bad.File}:2: not valid YAML: ", await node.Agent.WaitForLogAsync(bad.File), StringComparison.Ordinal);
        Assert.Contains(node.Agent.ReadStatus().Problems, problem => problem.Object == $"{bad.File}:2");

        await bad.PublishAsync(node.P21.Ready);
        (await node.P12.TcpAsync(bad, DialFamily.V4)).AssertAnsweredBy("p21");
        Assert.Empty(node.Agent.ReadSnapshot().Inconsistencies);
    }

    [PrivilegedFact]
    public async Task S175_a_service_that_does_not_fit_into_a_map_is_absent_as_a_whole_and_comes_when_there_is_room()
    {
        // TCP and UDP in two families: four backends for each pod.
        await using var node = await LiveNode.CreateAsync("--map-size", "backends_v1=10");
        LiveService first = node.NewService(), second = node.NewService(), third = node.NewService();
        await first.PublishAsync(node.P11.Ready);
        await second.PublishAsync(node.P13.Ready);
        await third.PublishAsync(node.P21.Ready);

        string message = $"{third.FullName} is not programmed: backends_v1 is full (10 entries). "
            + "Raise it with --map-size backends_v1=ENTRIES, or delete services.";
        Assert.EndsWith(message, await node.Agent.WaitForLogAsync(third.FullName), StringComparison.Ordinal);
        await Eventually.True(
            () => node.Agent.ReadStatus().Problems.Any(problem => problem.Object == third.FullName && problem.Message == message),
            "the status names the service");
        Assert.Contains("1 service not programmed as desired", (await node.Agent.CommandAsync("status")).StdOut, StringComparison.Ordinal);

        var snapshot = node.Agent.ReadSnapshot();
        Assert.Empty(snapshot.Inconsistencies);
        Assert.DoesNotContain(snapshot.Services, view => third.Owns(view.Name));
        Assert.DoesNotContain(snapshot.Vips, address => address.ToString() == third.V4 || address.ToString() == third.V6);
        Assert.Equal(8, snapshot.Backends.Count);
        await node.FromEverywhereAsync(async (client, family) =>
        {
            (await client.TcpAsync(first, family)).AssertAnsweredBy("p11");
            (await client.TcpAsync(second, family)).AssertAnsweredBy("p13");
        });

        await first.DeleteAsync();
        await node.FromEverywhereAsync(async (client, family) => (await client.TcpAsync(third, family)).AssertAnsweredBy("p21"));
        Assert.Empty(node.Agent.ReadStatus().Problems);
        Assert.Empty(node.Agent.ReadSnapshot().Inconsistencies);
    }

    private static string[] Without(params string[] capabilities) =>
        ["setpriv", $"--bounding-set={string.Join(',', capabilities.Select(capability => $"-{capability}"))}", "--inh-caps=-all"];

    private static void AssertRefused(ProcessResult result, int exitCode, string error)
    {
        Assert.Equal($"error: {error}\n", result.StdErr);
        Assert.Equal(exitCode, result.ExitCode);
    }
}
