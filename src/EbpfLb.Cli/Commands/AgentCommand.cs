// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.CommandLine;
using EbpfLb.Agent;
using EbpfLb.Cli.Configuration;
using EbpfLb.Cli.Output;
using EbpfLb.Datapath.Maps;
using EbpfLb.LoadBalancing.Maglev;

namespace EbpfLb.Cli.Commands;

/// <summary>Takes every value as text: <see cref="AgentSettings"/> judges them, and tells all that is wrong at once.</summary>
internal sealed class AgentCommand : DescribedCommand
{
    private const string AgentName = "agent";
    private const string LogLevelName = "--log-level";

    private const string Help =
        """
        One source is followed: an API server (--kubeconfig, --config, KUBECONFIG, or in a pod its service account), or --manifests.

        kube-proxy's arguments are taken as they are. Those of its flags that mean nothing here (--proxy-mode, --cluster-cidr,
        --masquerade-all, ...) are not listed above; the log names them once, as it does such fields of --config. -v 4 is --log-level
        debug. --config is read at the start only.

        Maps grow as they fill; one with a --map-size has that size instead, from the start of the agent on, if its entries fit. On SIGTERM
        the agent goes and the datapath stays: services are served as last programmed until 'ebpflb cleanup'.

        Exit status: 0 told to stop, 1 could not start or go on, 2 wrong usage.

        Examples:
          ebpflb agent --config /var/lib/kube-proxy/config.conf
          ebpflb agent --kubeconfig /etc/kubernetes/ebpflb.conf --node-name node1
          ebpflb agent --manifests /etc/ebpflb
          ebpflb agent --manifests /etc/ebpflb --node-name node1 --default-algorithm maglev
          ebpflb agent --manifests /etc/ebpflb --devices 'eth*,bond0' --node-ip 192.0.2.10,2001:db8::10
          ebpflb agent --manifests ./manifests --bpffs /run/test/bpf --cgroup /sys/fs/cgroup/test --log-level debug
        """;

    private readonly Option<string?> _config = TextOption(
        "--config", "FILE", "A KubeProxyConfiguration, as kube-proxy and kubeadm have it. Options win over what it says.");

    private readonly Option<string[]> _kubeconfigs = new("--kubeconfig")
    {
        Description = "How to reach the API server; may be repeated. Default: KUBECONFIG, else the service account of the pod.",
        HelpName = "FILE",
    };

    private readonly Option<string?> _context = TextOption("--context", "NAME", "Of the kubeconfig. Default: its current one.");

    private readonly Option<string?> _server = TextOption(
        "--server", "URL", "The API server, in place of the one that the kubeconfig or the pod's environment names.");

    private readonly Option<string?> _manifests = TextOption(
        "--manifests", "DIR",
        "In place of an API server: a directory of Service, EndpointSlice, Node and ServiceCIDR manifests (YAML or JSON), watched.");

    private readonly Option<string?> _nodeName = TextOption(
        "--node-name", "NAME", "As the API names this node. Default: the host name in lower case.");

    private readonly Option<string?> _bpffs = BpfFsOption();

    private readonly Option<string?> _cgroup = TextOption(
        "--cgroup", "DIR", "The cgroup whose processes are served. Default: the root of the cgroup2 hierarchy.");

    private readonly Option<string?> _procSys = TextOption(
        "--proc-sys", "DIR", "Where the node's /proc/sys can be written, if not there: in a container it cannot. Default: /proc/sys.");

    private readonly Option<string?> _bpftool = TextOption(
        "--bpftool", "FILE", "The bpftool to load programs with. Default: the one in PATH, /usr/sbin or /sbin.");

    private readonly Option<string[]> _mapSizes = new("--map-size")
    {
        Description = "Entries of a map, which then does not grow by itself; may be repeated. 'ebpflb maps' lists the maps.",
        HelpName = "NAME=ENTRIES",
    };

    private readonly Option<string?> _algorithm = TextOption(
        "--default-algorithm", "random|maglev",
        "How a service that names no algorithm chooses a backend. Default: maglev for services reachable from outside, else random.");

    private readonly Option<string?> _tableSize = TextOption(
        "--maglev-table-size", "N",
        $"Slots of a Maglev table: {MaglevSize.AllowedText}, or 0 to go by the number of backends. Default: 0.");

    private readonly Option<string?> _seed = TextOption(
        "--maglev-seed", "HEX", "32 hex digits, the same on all nodes. Default: a fixed one.");

    private readonly Option<string?> _devices = TextOption(
        "--devices", "PATTERN,...",
        "Devices whose packets are balanced, as shell patterns; 'none': no device. Default: Ethernet devices that are up and have a default "
        + "route or the node's address.");

    private readonly Option<string?> _podDevices = TextOption(
        "--pod-devices", "PATTERN,...",
        "The node's ends of pods' devices, for pods whose sockets are out of reach of the socket hooks. Default: none.");

    private readonly Option<string?> _xdp = TextOption(
        "--xdp", AgentSettings.XdpModes,
        "How packets are balanced before they reach the stack. Default: auto, native where the driver can.");

    private readonly Option<string?> _nodeIp = TextOption(
        "--node-ip", "ADDR,...", "The node's address, one of each family. Default: the first one of a device with a default route.");

    private readonly Option<string?> _nodePortAddresses = TextOption(
        "--nodeport-addresses", "CIDR,...|primary",
        "The node's addresses that answer NodePorts; 'primary': --node-ip only. A family that is not named has all. Default: all.");

    private readonly Option<bool> _externalClusterIps = new("--external-cluster-ips")
    {
        Description = "Serve ClusterIPs to clients outside of the cluster as well. Default: such packets are dropped.",
    };

    private readonly Option<bool> _allowNodeExternalIps = new("--allow-node-external-ips")
    {
        Description = "Serve external IPs that are addresses of this node, and load balancer addresses at its ports 22, 10250 and 10256. "
            + "Default: refused, as they would take what is sent to the node itself.",
    };

    private readonly Option<string?> _snatPorts = TextOption(
        "--snat-ports", "FIRST-LAST",
        "Source ports of flows to backends on other nodes; they are reserved in net.ipv4.ip_local_reserved_ports. Default: 50000-65535.");

    private readonly Option<string?> _timeouts = TextOption(
        "--conntrack-timeouts", "NAME=SECONDS,...",
        "When idle flows are forgotten. Default: tcp-syn=30,tcp-established=8000,tcp-fin=3600,tcp-closed=10,udp=60,sctp=300.");

    private readonly Option<string?> _deadBackendGrace = TextOption(
        "--dead-backend-grace", "SECONDS|off",
        "How long an endpoint has left its EndpointSlices and been silent before the TCP connections to it are ended; 'off': they are left "
        + "alone. Default: 60.");

    private readonly Option<string?> _logLevel = TextOption(
        LogLevelName, "LEVEL", $"One of {AgentSettings.LogLevelNames}. Default: info.");

    private readonly (KubeProxyFlag Flag, Option<string?> Option)[] _kubeProxy =
        [.. KubeProxyFlags.All.Select(flag => (flag, OptionOf(flag)))];

    private readonly Func<string, string?> _environment;

    /// <param name="terminal">Where errors go.</param>
    /// <param name="run">The agent.</param>
    /// <param name="environment">Values of its variables.</param>
    public AgentCommand(
        Terminal terminal, Func<AgentOptions, CancellationToken, Task<int>> run, Func<string, string?> environment)
        : base(AgentName, "Follow services and endpoints, and program them into the kernel of this node.", Help)
    {
        _environment = environment;
        _server.Aliases.Add("--master");
        _nodeName.Aliases.Add("--hostname-override");
        _mapSizes.CompletionSources.Add([.. MapNames.All.Select(name => $"{name}=")]);
        _algorithm.CompletionSources.Add("random", "maglev");
        _xdp.CompletionSources.Add(AgentSettings.XdpModes.Split('|'));
        _nodePortAddresses.CompletionSources.Add(AgentSettings.Primary);
        _logLevel.CompletionSources.Add(AgentSettings.LogLevelNames.Split(", "));
        foreach (Option option in new Option[]
            {
                _config, _kubeconfigs, _context, _server, _manifests, _nodeName, _nodeIp, _devices, _podDevices, _xdp, _nodePortAddresses,
                _allowNodeExternalIps, _externalClusterIps, _snatPorts, _timeouts, _deadBackendGrace, _algorithm, _tableSize, _seed, _bpffs,
                _cgroup, _procSys, _bpftool, _mapSizes, _logLevel,
            })
            Add(option);
        foreach (var (_, option) in _kubeProxy)
            Add(option);

        SetAction(async (result, stopping) =>
        {
            var errors = new List<string>();
            var options = Settings(result).Bind(errors);
            if (errors.Count == 0)
                return await run(options, stopping).ConfigureAwait(false);

            foreach (string error in errors)
                await terminal.Error.WriteLineAsync($"error: {Printable.Of(error)}").ConfigureAwait(false);
            await terminal.Error.WriteLineAsync("Try 'ebpflb agent --help'.").ConfigureAwait(false);
            return ExitCode.WrongUsage;
        });
    }

    /// <summary>For errors of lines that were not understood, or whose command is long over: no more than a look at the text.</summary>
    public static bool AsksForDebug(IReadOnlyList<string> args)
    {
        for (int i = 0; i < args.Count; i++)
        {
            string level = args[i] == LogLevelName && i + 1 < args.Count
                ? args[i + 1]
                : args[i].StartsWith(LogLevelName + "=", StringComparison.Ordinal) ? args[i][(LogLevelName.Length + 1)..] : "";
            if (level is "debug" or "trace")
                return true;
        }

        return false;
    }

    /// <summary>
    /// kube-proxy's arguments have <c>--name=$(VARIABLE)</c>, whose variable may be empty; the parser would miss a value.
    /// </summary>
    public static IReadOnlyList<string> SeparateEmptyValues(IReadOnlyList<string> args) => args is [AgentName, ..]
        ? [.. args.SelectMany(arg => arg is ['-', '-', .. var name, '='] && !name.Contains('=') ? [arg[..^1], ""] : new[] { arg })]
        : args;

    // Nothing typed is nothing set, as for kube-proxy.
    private static string? Given(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static Option<string?> TextOption(string name, string helpName, string description) =>
        new(name) { HelpName = helpName, Description = description };

    private static Option<string?> OptionOf(KubeProxyFlag flag)
    {
        var option = new Option<string?>(flag.Name)
        {
            HelpName = flag.HelpName,
            Description = flag.Description,
            Hidden = flag.Description is null,
            Arity = flag.IsSwitch ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
        };
        if (flag.Alias is not null)
            option.Aliases.Add(flag.Alias);
        return option;
    }

    private AgentSettings Settings(ParseResult result) => new()
    {
        Environment = _environment,
        KubeProxy = new KubeProxySettings(
            Given(result.GetValue(_config)),
            [
                .. from pair in _kubeProxy
                   where result.GetResult(pair.Option) is not null
                   select (pair.Flag, result.GetValue(pair.Option) ?? "true"),
            ]),
        Kubeconfigs = [.. (result.GetValue(_kubeconfigs) ?? []).Where(file => file.Length > 0)],
        Context = Given(result.GetValue(_context)),
        Server = Given(result.GetValue(_server)),
        Manifests = result.GetValue(_manifests),
        NodeName = Given(result.GetValue(_nodeName)),
        BpfFs = result.GetValue(_bpffs),
        Cgroup = result.GetValue(_cgroup),
        ProcSys = result.GetValue(_procSys),
        Bpftool = result.GetValue(_bpftool),
        MapSizes = result.GetValue(_mapSizes) ?? [],
        DefaultAlgorithm = result.GetValue(_algorithm),
        MaglevTableSize = result.GetValue(_tableSize),
        MaglevSeed = result.GetValue(_seed),
        Devices = result.GetValue(_devices),
        PodDevices = result.GetValue(_podDevices),
        Xdp = result.GetValue(_xdp),
        NodeIp = result.GetValue(_nodeIp),
        NodePortAddresses = Given(result.GetValue(_nodePortAddresses)),
        AllowNodeExternalIPs = result.GetValue(_allowNodeExternalIps),
        ExternalClusterIPs = result.GetValue(_externalClusterIps),
        SnatPorts = result.GetValue(_snatPorts),
        ConntrackTimeouts = result.GetValue(_timeouts),
        DeadBackendGrace = result.GetValue(_deadBackendGrace),
        LogLevel = result.GetValue(_logLevel),
    };
}
