// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;

namespace EbpfLb.Bench.Packets;

/// <summary>
/// A node with two devices and everything around it, in two namespaces with a BPF file system of their own; see tools/xdpbench/README.md.
/// </summary>
internal sealed class Pair : IDisposable
{
    public const string AroundMac = "02:eb:00:00:00:02";
    public const string NodeMac = "02:eb:00:00:00:01";

    /// <summary>The node's uplink, where the generator's frames come in.</summary>
    public const string Uplink = "n0";

    /// <summary>The node's other device.</summary>
    public const string Second = "n1";

    private const string AroundUplink = "g0";

    private readonly string _id;
    private readonly Dictionary<string, string> _names;

    private Pair(string id, string described)
    {
        _id = id;
        _names = described.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('=', 2))
            .ToDictionary(parts => parts[0], parts => parts[1]);
    }

    public string Node => _names["NETNS_NODE"];

    public string BpfFs => _names["BPFFS"];

    private string Around => _names["NETNS_AROUND"];

    private string Pins => _names["PINS"];

    public static Pair Create(CancellationToken stopping)
    {
        string id = $"b{Guid.NewGuid():n}"[..12];
        try
        {
            return new Pair(id, Command.Run(BenchOptions.PairScript, ["up", "--id", id], stopping));
        }
        catch (OperationCanceledException)
        {
            Command.Run(BenchOptions.PairScript, ["down", "--id", id], CancellationToken.None);
            throw;
        }
    }

    /// <summary>Where the pin of a program of the tool's object is.</summary>
    public string ToolProgram(string name) => Path.Combine(Pins, "programs", name);

    /// <param name="hook">xdp, tcx-ingress or tcx-egress.</param>
    public void Attach(string device, string program, string hook) => Tool(
        [
            "attach", "--netns", Node, "--device", device, "--program", program, "--hook", hook,
            "--link", Path.Combine(BpfFs, "links", $"{device}-{hook}"),
        ],
        CancellationToken.None);

    public void InNode(string file, params IEnumerable<string> arguments) =>
        Command.Run("nsenter", [$"--net={Node}", file, .. arguments], CancellationToken.None);

    /// <param name="expected">Destination, ADDRESS/BITS, of the frames that count when they come back.</param>
    public Sent Send(Flows flows, string expected, double seconds, CancellationToken stopping) => Sent.Parse(Tool(
        ["send", .. Outside(flows), "--expect", expected, "--seconds", seconds.ToString(CultureInfo.InvariantCulture)],
        stopping));

    /// <summary>Some frames whose checksums are looked at when they come back.</summary>
    public Sent Verify(Flows flows, string expected, int count, CancellationToken stopping) => Sent.Parse(Tool(
        ["send", .. Outside(flows), "--expect", expected, "--verify", "--count", count.ToString(CultureInfo.InvariantCulture)],
        stopping));

    /// <summary>What the program by itself makes of frames that seem to come in through the uplink.</summary>
    public Repeated Repeat(string program, Flows flows, int count, CancellationToken stopping) => Repeated.Parse(Tool(
        ["rerun", .. Inside(program, flows), "--pins", Pins, "--count", count.ToString(CultureInfo.InvariantCulture)],
        stopping));

    /// <summary>What the program makes of the first frame of each flow.</summary>
    /// <param name="handshake">The flows are established then.</param>
    public IReadOnlyList<Translated> Ask(string program, Flows flows, bool handshake, CancellationToken stopping)
    {
        string[] more = handshake ? ["--handshake"] : [];
        return Translated.Parse(Tool(["ask", .. Inside(program, flows), .. more], stopping));
    }

    public void Dispose() => Command.Run(BenchOptions.PairScript, ["down", "--id", _id], CancellationToken.None);

    private static string Tool(IReadOnlyList<string> arguments, CancellationToken stopping) =>
        Command.Run(BenchOptions.PacketTool, arguments, stopping);

    private IEnumerable<string> Outside(Flows flows) =>
        ["--netns", Around, "--device", AroundUplink, "--pins", Pins, .. flows.Arguments()];

    private IEnumerable<string> Inside(string program, Flows flows) =>
        ["--netns", Node, "--device", Uplink, "--program", program, .. flows.Arguments()];
}
