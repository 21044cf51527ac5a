// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Inspection;
using EbpfLb.Linux.Processes;

namespace EbpfLb.Live.Tests.Support;

/// <summary>An agent of node n1, on a BPF file system and a cgroup of its own; it follows a manifest directory or an API server.</summary>
internal sealed class LiveAgent : IAsyncDisposable
{
    /// <summary>For an agent in the network namespace of the machine.</summary>
    public static readonly string[] Restraints = ["--devices=none", "--healthz-bind-address=none", "--metrics-bind-address=none"];

    private readonly IReadOnlyList<string> _options;
    private readonly ManifestFiles? _manifests;
    private LineProcess? _process;

    /// <param name="options">Further ones of the command line.</param>
    public LiveAgent(string bpffs, string cgroup, ManifestFiles? manifests, params IReadOnlyList<string> options)
    {
        BpfFs = bpffs;
        Cgroup = cgroup;
        _manifests = manifests;
        _options = options;
    }

    public string BpfFs { get; }

    public string Cgroup { get; }

    public string Pins => Path.Combine(BpfFs, "ebpflb");

    public ManifestFiles Manifests => _manifests ?? throw new InvalidOperationException("this agent follows an API server");

    /// <summary>Leads to the API server of an agent without manifests.</summary>
    public string? Kubeconfig { get; init; }

    public string NodeName { get; init; } = "n1";

    /// <summary>Null: the machine's own. Neither the devices nor the ports there are a test's, so the agent gets none.</summary>
    public string? NetworkNamespace { get; init; }

    /// <summary>A program, with its arguments, that runs the agent.</summary>
    public string[] Under { get; set; } = [];

    public int Pid => Process.Pid;

    public string Log => Process.Text;

    /// <summary>Where a later <see cref="WaitForLogAsync"/> may start to look.</summary>
    public int LineCount => Process.LineCount;

    private string[] Line
    {
        get
        {
            string[] place = NetworkNamespace is null ? [] : ["nsenter", $"--net={NetworkNamespace}"];
            var restraints = NetworkNamespace is null ? Restraints.Where(option => !_options.Contains(option.Split('=')[0])) : [];
            return
            [
                .. place, .. Under, Programs.Ebpflb, "agent", .. Source, "--node-name", NodeName, "--bpffs", BpfFs, "--cgroup", Cgroup,
                .. restraints, .. _options,
            ];
        }
    }

    private string[] Source => Kubeconfig is null ? ["--manifests", Manifests.Path] : ["--kubeconfig", Kubeconfig];

    private LineProcess Process => _process ?? throw new InvalidOperationException("no agent runs");

    /// <summary>Until what its source says is in the maps.</summary>
    /// <param name="until">Or until its log has this.</param>
    public async Task StartAsync(string until = "First sync:")
    {
        await DisposeAsync();
        _process = LineProcess.Start(Line[0], Line[1..]);
        await _process.WaitForLineAsync(until);
    }

    /// <summary>For an agent that is expected to refuse its work, perhaps under another program.</summary>
    public Task<ProcessResult> RunToEndAsync(params IReadOnlyList<string> under)
    {
        string[] line = [.. under, .. Line];
        return Programs.RunAsync(line[0], line[1..]);
    }

    /// <summary>Makes a change that alters some service or its endpoints, and waits until the maps have it.</summary>
    public async Task SyncAsync(Action change)
    {
        int from = Process.LineCount;
        change();
        await Process.WaitForLineAsync("Synced ", from);
    }

    public Task<string> WaitForLogAsync(string text, int from = 0) => Process.WaitForLineAsync(text, from);

    /// <summary>Makes a change and returns the first line of the log that has the text after it.</summary>
    public async Task<string> LogOfAsync(Action change, string text)
    {
        int from = Process.LineCount;
        change();
        return await Process.WaitForLineAsync(text, from);
    }

    /// <summary>SIGTERM; the exit status.</summary>
    public async Task<int> TerminateAsync()
    {
        await Process.TerminateAsync();
        return await Process.ExitAsync();
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        Process.Kill();
        await Process.ExitAsync();
    }

    /// <summary>By its name, such as STOP.</summary>
    public Task SignalAsync(string signal) => Programs.OutputOfAsync("/bin/kill", $"-{signal}", $"{Pid}");

    /// <summary>
    /// What an agent of another build leaves: programs whose directory has another hash. The next agent loads its own and updates every link.
    /// </summary>
    public void PretendOtherBuild()
    {
        string programs = Path.Combine(Pins, "programs");
        Directory.Move(Directory.GetDirectories(programs).Single(), Path.Combine(programs, "0123456789abcdef"));
    }

    public DatapathSnapshot ReadSnapshot()
    {
        using var inspector = DatapathInspector.Open(BpfFs);
        return inspector.ReadSnapshot();
    }

    public IReadOnlyList<AffinityView> ReadAffinity()
    {
        using var inspector = DatapathInspector.Open(BpfFs);
        return inspector.ReadAffinity();
    }

    public IReadOnlyList<FlowView> ReadFlows(Func<FlowView, bool>? isWanted = null)
    {
        using var inspector = DatapathInspector.Open(BpfFs);
        return inspector.ReadFlows(isWanted ?? (_ => true));
    }

    /// <summary>Packets of all hooks.</summary>
    public ulong Count(Reason reason)
    {
        using var inspector = DatapathInspector.Open(BpfFs);
        return inspector.ReadCounters().Reasons.Where(count => count.Reason == reason).Aggregate(0ul, (sum, count) => sum + count.Packets);
    }

    public ulong Count(Hook hook, Reason reason)
    {
        using var inspector = DatapathInspector.Open(BpfFs);
        return Assert.Single(inspector.ReadCounters().Reasons, count => count.Hook == hook && count.Reason == reason).Packets;
    }

    public StatusView ReadStatus() => StatusView.Read(BpfFs);

    /// <summary>A command of ebpflb that looks at this agent's maps.</summary>
    public Task<ProcessResult> CommandAsync(params IReadOnlyList<string> arguments) =>
        Programs.RunAsync(Programs.Ebpflb, [.. arguments, "--bpffs", BpfFs]);

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await _process.DisposeAsync();
        _process = null;
    }
}
