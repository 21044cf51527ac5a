// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.CommandLine;
using EbpfLb.Cli.Configuration;
using EbpfLb.Datapath.Maps;
using EbpfLb.LoadBalancing.Maglev;

namespace EbpfLb.Cli.Commands;

/// <summary>The agent's options, for every command that has to come to the agent's state. Values are text: <see cref="AgentSettings"/> judges them.</summary>
internal sealed class AgentOptionSet
{
    public const string LogLevelName = "--log-level";

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

    private readonly Option<string?> _bpffs;

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

    private readonly Option<string?> _without = TextOption(
        "--without", "FEATURE,...",
        "Treat the kernel as if it lacked these, to try what happens on an older one: "
        + $"{AgentSettings.FeatureNames}. Default: none.");

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

    /// <param name="bpffs">The command's own.</param>
    /// <param name="environment">Values of its variables.</param>
    public AgentOptionSet(Option<string?> bpffs, Func<string, string?> environment)
    {
        _bpffs = bpffs;
        _environment = environment;
        _server.Aliases.Add("--master");
        _nodeName.Aliases.Add("--hostname-override");
        _mapSizes.CompletionSources.Add([.. MapNames.All.Select(name => $"{name}=")]);
        _algorithm.CompletionSources.Add("random", "maglev");
        _xdp.CompletionSources.Add(AgentSettings.XdpModes.Split('|'));
        _nodePortAddresses.CompletionSources.Add(AgentSettings.Primary);
        _logLevel.CompletionSources.Add(AgentSettings.LogLevelNames.Split(", "));
    }

    public IReadOnlyList<Option> All =>
    [
        _config, _kubeconfigs, _context, _server, _manifests, _nodeName, _nodeIp, _devices, _podDevices, _xdp, _nodePortAddresses,
        _allowNodeExternalIps, _externalClusterIps, _snatPorts, _timeouts, _deadBackendGrace, _algorithm, _tableSize, _seed, _bpffs,
        _cgroup, _procSys, _bpftool, _mapSizes, _without, _logLevel, .. _kubeProxy.Select(pair => pair.Option),
    ];

    public AgentSettings Settings(ParseResult result) => new()
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
        Without = result.GetValue(_without),
        LogLevel = result.GetValue(_logLevel),
    };

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
}
