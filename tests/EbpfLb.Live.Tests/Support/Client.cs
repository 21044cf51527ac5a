// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text.Json;

namespace EbpfLb.Live.Tests.Support;

/// <summary>A place from which traffic comes: a pod, or the host side of a node.</summary>
/// <param name="Name">As a server in it calls itself.</param>
/// <param name="Node">As endpoint slices name it.</param>
/// <param name="V4">The address a pod has, and what a server sees of a node.</param>
internal sealed record Client(string Name, string Node, string Cgroup, string NetworkNamespace, string V4, string V6)
{
    public Endpoint Ready => new(this);

    public Endpoint NotReady => new(this, Ready: false, Serving: false, Terminating: false);

    /// <summary>On its way out, still answering.</summary>
    public Endpoint Terminating => new(this, Ready: false, Serving: true, Terminating: true);

    /// <summary>On its way out, answering no more.</summary>
    public Endpoint Terminated => new(this, Ready: false, Serving: false, Terminating: true);

    /// <summary>As a server that sees it writes it.</summary>
    public string Source(DialFamily family) => family == DialFamily.V6 ? $"[{V6}]" : V4;

    public Task<ProbeReport> TcpAsync(LiveService service, DialFamily family, int count = 1, int port = LiveService.Port) =>
        AskAsync(["tcp", service.Address(family), Number(port), .. Options(family), "--count", Number(count)]);

    /// <summary>A new unconnected socket each time.</summary>
    public Task<ProbeReport> UdpAsync(LiveService service, DialFamily family, int count = 1, int port = LiveService.Port) =>
        AskAsync(["udp", service.Address(family), Number(port), .. Options(family), "--count", Number(count)]);

    public Task<ProbeReport> UdpConnectedAsync(LiveService service, DialFamily family, int count = 1, int port = LiveService.Port) =>
        AskAsync(["udp", service.Address(family), Number(port), .. Options(family), "--count", Number(count), "--connected"]);

    /// <summary>One unconnected socket for all of it.</summary>
    public Task<ProbeReport> UdpSameSocketAsync(LiveService service, DialFamily family, int count) =>
        AskAsync(
            ["udp", service.Address(family), Number(LiveService.Port), .. Options(family), "--count", Number(count), "--same-socket"]);

    /// <summary>One unconnected socket asks all of them, a number of times. By what was asked.</summary>
    public async Task<IReadOnlyDictionary<string, ProbeReport>> UdpManyAsync(
        IEnumerable<LiveService> services, DialFamily family, int count) =>
        ProbeReport.ParseTargets(await Programs.OutputOfAsync(
            Programs.Probe,
            [
                "udp-many", .. services.SelectMany(service => new[] { service.Address(family), Number(LiveService.Port) }),
                .. Options(family), "--count", Number(count), .. Place,
            ]));

    /// <summary>Names of the checks that failed and why.</summary>
    public async Task<IReadOnlyList<string>> ChecksAsync(string protocol, LiveService service, DialFamily family, params string[] options)
    {
        var result = await Programs.RunAsync(
            Programs.Probe,
            ["checks", protocol, service.Address(family), Number(LiveService.Port), .. Options(family), .. options, .. Place]);
        using var report = JsonDocument.Parse(result.StdOut);
        var checks = report.RootElement.EnumerateObject().Where(check => check.Value.ValueKind == JsonValueKind.Object).ToArray();
        Assert.NotEmpty(checks);
        string[] failed =
        [
            .. checks.Where(check => !check.Value.GetProperty("ok").GetBoolean())
                .Select(check => $"{check.Name}: {check.Value.GetProperty("why").GetString()}"),
        ];
        Assert.Equal(failed.Length == 0 ? 0 : 1, result.ExitCode);
        return failed;
    }

    /// <summary>Conversations at an interval until it is told to stop with <see cref="LineProcess.TerminateAsync"/>.</summary>
    public TrafficStream Stream(string protocol, LiveService service, DialFamily family, int intervalMs, params string[] options) =>
        new(LineProcess.Start(
            Programs.Probe,
            [
                "stream", protocol, service.Address(family), Number(LiveService.Port), .. Options(family), "--interval", Number(intervalMs),
                "--duration", "120000", "--bucket", "20", "--progress", .. options, .. Place,
            ]));

    /// <summary>TCP connections that stay open.</summary>
    public async Task<HeldConnections> HoldAsync(LiveService service, DialFamily family, int count)
    {
        var held = new HeldConnections(LineProcess.Start(
            Programs.Probe,
            [
                "hold", service.Address(family), Number(LiveService.Port), .. Options(family), "--count", Number(count), .. Place,
            ]));
        await held.OpenedAsync();
        return held;
    }

    /// <param name="options">Further ones of lbprobe.</param>
    public Task<ProbeReport> TcpAsync(Target target, int count = 1, params string[] options) =>
        AskAsync(["tcp", target.Address, Number(target.TcpPort), "--count", Number(count), .. options]);

    public Task<ProbeReport> UdpAsync(Target target, int count = 1, params string[] options) =>
        AskAsync(["udp", target.Address, Number(target.UdpPort), "--count", Number(count), .. options]);

    public Task<ProbeReport> UdpConnectedAsync(Target target, int count = 1) => UdpAsync(target, count, "--connected");

    public Task<ProbeReport> TransferAsync(Target target, int bytes) =>
        AskAsync(["transfer", target.Address, Number(target.TcpPort), "--bytes", Number(bytes)]);

    public Task<ProbeReport> PingAsync(string address, int count, int timeoutMs) =>
        AskAsync(["ping", address, "--count", Number(count), "--timeout", Number(timeoutMs)]);

    /// <summary>What came back for the hop limits from 1 on.</summary>
    public async Task<IReadOnlyList<string>> TraceAsync(string protocol, Target target, int hops)
    {
        string output = await Programs.OutputOfAsync(
            Programs.Probe,
            [
                "trace", protocol, target.Address, Number(protocol == "tcp" ? target.TcpPort : target.UdpPort), "--count",
                Number(hops), .. Place,
            ]);
        using var document = JsonDocument.Parse(output);
        return [.. document.RootElement.EnumerateObject().Select(hop => hop.Value.GetString()!)];
    }

    /// <summary>One TCP segment without a socket.</summary>
    public Task SendSegmentAsync(string address, int port, string source, int sourcePort, string flags, uint sequence) =>
        Programs.OutputOfAsync(
            Programs.Probe,
            [
                "segment", address, Number(port), "--source", source, "--source-port", Number(sourcePort), "--flags", flags, "--sequence",
                sequence.ToString(CultureInfo.InvariantCulture), .. Place,
            ]);

    /// <summary>Openings of clients that do not exist, somewhat less than 10,000 a second.</summary>
    /// <param name="first">The number of the first client, so that two floods need not have the same.</param>
    public Task FloodAsync(Target target, int count, int first) =>
        Programs.OutputOfAsync(
            Programs.Probe,
            [
                "flood", target.Address, Number(target.TcpPort), "--count", Number(count), "--sequence", Number(first), "--interval", "2",
                .. Place,
            ]);

    public TrafficStream Stream(string protocol, Target target, int intervalMs, params string[] options) =>
        new(LineProcess.Start(
            Programs.Probe,
            [
                "stream", protocol, target.Address, Number(protocol == "tcp" ? target.TcpPort : target.UdpPort), "--interval",
                Number(intervalMs), "--duration", "120000", "--bucket", "20", "--progress", .. options, .. Place,
            ]));

    /// <summary>TCP connections that stay open.</summary>
    public async Task<HeldConnections> HoldAsync(Target target, int count, params string[] options)
    {
        var held = new HeldConnections(LineProcess.Start(
            Programs.Probe, ["hold", target.Address, Number(target.TcpPort), "--count", Number(count), .. options, .. Place]));
        Assert.Empty((await held.OpenedAsync()).Failures);
        return held;
    }

    /// <summary>Connected UDP sockets that stay open.</summary>
    public async Task<HeldConnections> HoldUdpAsync(string address, int port, int count, params string[] options)
    {
        var held = new HeldConnections(LineProcess.Start(
            Programs.Probe, ["hold", address, Number(port), "--connected", "--count", Number(count), .. options, .. Place]));
        Assert.Empty((await held.OpenedAsync()).Failures);
        return held;
    }

    /// <inheritdoc cref="HoldUdpAsync(string, int, int, string[])"/>
    public Task<HeldConnections> HoldUdpAsync(Target target, int count) => HoldUdpAsync(target.Address, target.UdpPort, count);

    /// <summary>A command of ip(8) in this place's network namespace.</summary>
    public Task<string> IpAsync(string command) =>
        Programs.OutputOfAsync("nsenter", [$"--net={NetworkNamespace}", "ip", .. command.Split(' ')]);

    /// <summary>Whether a port of a bridge takes part in it.</summary>
    public Task BridgePortAsync(string device, bool forwards) =>
        IpAsync($"link set dev {device} type bridge_slave state {(forwards ? 3 : 0)}");

    /// <summary>Whether a device leaves checksums to be computed to the one that takes its frames.</summary>
    public Task OffloadAsync(string device, bool on) =>
        Programs.OutputOfAsync(Programs.Probe, ["offload", device, on ? "on" : "off", .. Place]);

    /// <summary>A file of /proc as this place sees it.</summary>
    public Task<string> ReadAsync(string file) => Programs.OutputOfAsync("nsenter", [$"--net={NetworkNamespace}", "cat", file]);

    public async Task WriteAsync(string file, string text)
    {
        await Programs.OutputOfAsync("nsenter", [$"--net={NetworkNamespace}", "sh", "-c", "echo \"$0\" >\"$1\"", text, file]);
    }

    public Task<FrameWatch> WatchAsync(string device, params string[] addresses) =>
        FrameWatch.StartAsync(["watch", device, .. addresses, .. Place]);

    /// <summary>A server with further options of lbprobe.</summary>
    public async Task<LineProcess> ServeAsync(params string[] options)
    {
        var server = LineProcess.Start(Programs.Probe, ["serve", "--name", Name, .. options, .. Place]);
        await server.WaitForLineAsync("\"ready\":true");
        return server;
    }

    /// <summary>A server on all these ports, TCP and UDP, in both families.</summary>
    public async Task<LineProcess> ServeAsync(IEnumerable<int> ports)
    {
        var server = LineProcess.Start(
            Programs.Probe,
            [
                "serve", "--name", Name, .. ports.SelectMany(port => new[] { "--tcp", Number(port), "--udp", Number(port) }), .. Place,
            ]);
        await server.WaitForLineAsync("\"ready\":true");
        return server;
    }

    /// <summary>Counts numbered datagrams until SIGTERM.</summary>
    public async Task<LineProcess> CountAsync(int port)
    {
        var counter = LineProcess.Start(Programs.Probe, ["count", Number(port), .. Place]);
        await counter.WaitForLineAsync("\"ready\":true");
        return counter;
    }

    /// <summary>Sends numbered datagrams.</summary>
    public LineProcess Pour(Target target, int rate, int count) => LineProcess.Start(
        Programs.Probe,
        ["pour", target.Address, Number(target.UdpPort), "--rate", Number(rate), "--count", Number(count), .. Place]);

    private string[] Place => ["--cgroup", Cgroup, "--netns", NetworkNamespace];

    private async Task<ProbeReport> AskAsync(string[] arguments) =>
        ProbeReport.Parse(await Programs.OutputOfAsync(Programs.Probe, [.. arguments, .. Place]));

    private static string[] Options(DialFamily family) => family == DialFamily.Mapped ? ["--family", "mapped"] : [];

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
