// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Conntrack;

/// <summary>How packets are treated: what of settings_v1 an operator can choose.</summary>
public sealed record FlowSettings
{
    // Times are compared as signed 32-bit differences of milliseconds; this leaves half of that.
    private const uint MaxSeconds = 1_000_000;

    private const int MinSnatPort = 1024;

    public bool ExternalClusterIPs { get; init; }

    /// <summary>Source ports of flows to backends on other nodes.</summary>
    public int SnatPortFirst { get; init; } = 50_000;

    public int SnatPortLast { get; init; } = 65_535;

    /// <summary>A TCP flow whose handshake is not complete.</summary>
    public uint TcpSynSeconds { get; init; } = 30;

    public uint TcpEstablishedSeconds { get; init; } = 8_000;

    /// <summary>One side has ended.</summary>
    public uint TcpFinSeconds { get; init; } = 3_600;

    /// <summary>Both sides have ended, or one has reset.</summary>
    public uint TcpClosedSeconds { get; init; } = 10;

    public uint UdpSeconds { get; init; } = 60;

    public uint SctpSeconds { get; init; } = 300;

    /// <summary>How long a backend is gone and silent before those who are connected to it are told. 0: they are not.</summary>
    public uint DeadBackendSeconds { get; init; } = 60;

    /// <summary>The same; null: they are not.</summary>
    public TimeSpan? DeadBackendGrace => DeadBackendSeconds == 0 ? null : TimeSpan.FromSeconds(DeadBackendSeconds);

    /// <summary>How often a packet of a flow makes sure that the other direction's entry is there.</summary>
    public uint PairCheckMs { get; init; } = 1_000;

    /// <summary>Resets and ICMP errors of our own, for each CPU.</summary>
    public uint RepliesPerSecond { get; init; } = 1_000;

    /// <summary>By the names of the command line.</summary>
    public static IReadOnlyList<string> TimeoutNames { get; } = ["tcp-syn", "tcp-established", "tcp-fin", "tcp-closed", "udp", "sctp"];

    /// <summary>The same with another timeout; the name is one of <see cref="TimeoutNames"/>.</summary>
    public FlowSettings WithTimeout(string name, uint seconds) => name switch
    {
        "tcp-syn" => this with { TcpSynSeconds = seconds },
        "tcp-established" => this with { TcpEstablishedSeconds = seconds },
        "tcp-fin" => this with { TcpFinSeconds = seconds },
        "tcp-closed" => this with { TcpClosedSeconds = seconds },
        "udp" => this with { UdpSeconds = seconds },
        "sctp" => this with { SctpSeconds = seconds },
        _ => throw new ArgumentException($"there is no timeout {name}", nameof(name)),
    };

    /// <summary>What is wrong, one sentence each; empty when nothing is.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (SnatPortFirst < MinSnatPort || SnatPortLast > ushort.MaxValue || SnatPortFirst > SnatPortLast)
        {
            errors.Add(
                $"--snat-ports {SnatPortFirst}-{SnatPortLast}: not a range of ports. Give FIRST-LAST, both from {MinSnatPort} to "
                + $"{ushort.MaxValue}, that neither NodePorts nor programs of this node use, such as 50000-65535.");
        }

        foreach (var (name, seconds) in Timeouts.Where(timeout => timeout.Seconds is 0 or > MaxSeconds))
            errors.Add($"--conntrack-timeouts {name}={seconds}: a timeout has 1 to {MaxSeconds} seconds.");
        if (DeadBackendSeconds > MaxSeconds)
            errors.Add($"--dead-backend-grace {DeadBackendSeconds}: the grace has 1 to {MaxSeconds} seconds, or is 'off'.");
        return errors;
    }

    private IEnumerable<(string Name, uint Seconds)> Timeouts => TimeoutNames.Zip(
        [TcpSynSeconds, TcpEstablishedSeconds, TcpFinSeconds, TcpClosedSeconds, UdpSeconds, SctpSeconds]);
}
