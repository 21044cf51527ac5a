// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Agent.Tests;

public sealed class NodeConntrackTests : IDisposable
{
    private const string Max = "nf_conntrack_max";
    private const string Buckets = "nf_conntrack_buckets";
    private const string Established = "nf_conntrack_tcp_timeout_established";
    private const string CloseWait = "nf_conntrack_tcp_timeout_close_wait";

    private readonly TemporaryDirectory _root = new();
    private readonly WarningLog<NodeConntrack> _log = new();

    public NodeConntrackTests()
    {
        Write("sys/devices/system/cpu/online", "0-7\n");
        WriteSysctl(Buckets, "65536\n");
        WriteSysctl(Max, "65536\n");
        WriteSysctl(Established, "432000\n");
        WriteSysctl(CloseWait, "60\n");
        WriteSysctl("nf_conntrack_tcp_be_liberal", "0\n");
        WriteSysctl("nf_conntrack_udp_timeout", "30\n");
        WriteSysctl("nf_conntrack_udp_timeout_stream", "120\n");
    }

    public void Dispose() => _root.Dispose();

    [Fact]
    public void The_defaults_are_those_of_kube_proxy()
    {
        Assert.Empty(New(new ConntrackSysctls()).Prepare());
        Assert.Equal(
            ("262144", "86400", "3600", "0", "30", "120"),
            (ReadSysctl(Max), ReadSysctl(Established), ReadSysctl(CloseWait), ReadSysctl("nf_conntrack_tcp_be_liberal").Trim(),
                ReadSysctl("nf_conntrack_udp_timeout").Trim(), ReadSysctl("nf_conntrack_udp_timeout_stream").Trim()));
        Assert.Equal("65536", ReadSysctl(Buckets).Trim());
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public void Everything_that_is_asked_for_is_set()
    {
        var wanted = new ConntrackSysctls
        {
            MaxPerCore = 100_000,
            Min = 5,
            TcpEstablishedTimeout = TimeSpan.FromHours(2),
            TcpCloseWaitTimeout = TimeSpan.FromSeconds(90.7),
            TcpBeLiberal = true,
            UdpTimeout = TimeSpan.FromSeconds(10),
            UdpStreamTimeout = TimeSpan.FromMinutes(5),
        };
        Assert.Empty(New(wanted).Prepare());
        Assert.Equal(
            ("800000", "7200", "90", "1", "10", "300"),
            (ReadSysctl(Max), ReadSysctl(Established), ReadSysctl(CloseWait), ReadSysctl("nf_conntrack_tcp_be_liberal"),
                ReadSysctl("nf_conntrack_udp_timeout"), ReadSysctl("nf_conntrack_udp_timeout_stream")));
        Assert.Equal("200000", ReadSysctl(Buckets));
    }

    [Theory]
    // cores, for each, at least: the limit
    [InlineData("0", 32768, 131072, 131072)]
    [InlineData("0-3", 32768, 131072, 131072)]
    [InlineData("0-4", 32768, 131072, 163840)]
    [InlineData("0-3,8,10-11", 32768, 131072, 229376)]
    [InlineData("0-31", 32768, 131072, 1048576)]
    [InlineData("0-511", 32768, 131072, 1048576)]
    [InlineData("0-511", int.MaxValue, 0, 1048576)]
    [InlineData("0-511", 32768, 2000000, 2000000)]
    [InlineData("0-1", 10, 0, 20)]
    public void The_limit_grows_with_the_cores_of_the_machine_up_to_a_million(string cores, int perCore, int min, int expected)
    {
        Write("sys/devices/system/cpu/online", cores + "\n");
        WriteSysctl(Max, "1\n");
        New(ConntrackSysctls.LeaveAll with { MaxPerCore = perCore, Min = min }).Prepare();
        Assert.Equal(expected.ToString(CultureInfo.InvariantCulture), ReadSysctl(Max));
        Assert.Equal(int.Max(65536, expected / 4), int.Parse(ReadSysctl(Buckets), CultureInfo.InvariantCulture));
        Assert.Equal("432000\n", ReadSysctl(Established));
    }

    // kube-proxy 1.36.0 lowers it, which drops packets and fails where it may not be written; later ones do not.
    [Fact]
    public void A_limit_that_is_higher_already_stays()
    {
        WriteSysctl(Max, "2097152\n");
        Assert.Empty(New(new ConntrackSysctls()).Prepare());
        Assert.Equal("2097152\n", ReadSysctl(Max));
        Assert.Equal("65536\n", ReadSysctl(Buckets));
        // A timeout is as it is asked for, higher or lower.
        Assert.Equal("86400", ReadSysctl(Established));
    }

    [Fact]
    public void Without_the_cores_of_the_machine_those_of_the_process_count()
    {
        File.Delete(_root.Combine("sys/devices/system/cpu/online"));
        WriteSysctl(Max, "1\n");
        New(ConntrackSysctls.LeaveAll with { MaxPerCore = 7 }).Prepare();
        Assert.Equal((7 * Environment.ProcessorCount).ToString(CultureInfo.InvariantCulture), ReadSysctl(Max));
    }

    [Fact]
    public void Nothing_is_written_where_nothing_is_asked_for()
    {
        Assert.Empty(New(ConntrackSysctls.LeaveAll with { Min = 500_000, TcpEstablishedTimeout = TimeSpan.Zero }).Prepare());
        Assert.Equal(("65536\n", "432000\n", "65536\n"), (ReadSysctl(Max), ReadSysctl(Established), ReadSysctl(Buckets)));
    }

    [Fact]
    public void What_is_so_already_is_not_written()
    {
        WriteSysctl(Max, "262144\n");
        WriteSysctl(Established, "86400\n");
        WriteSysctl(CloseWait, "3600\n");
        Assert.Empty(New(new ConntrackSysctls()).Prepare());
        // A write would have left no line end.
        Assert.Equal(
            ("262144\n", "86400\n", "3600\n", "65536\n"),
            (ReadSysctl(Max), ReadSysctl(Established), ReadSysctl(CloseWait), ReadSysctl(Buckets)));
    }

    [Fact]
    public void What_an_operator_changes_later_stays()
    {
        var conntrack = New(new ConntrackSysctls());
        conntrack.Prepare();
        WriteSysctl(Max, "9");
        Assert.Empty(conntrack.Prepare());
        Assert.Equal("9", ReadSysctl(Max));
    }

    [Fact]
    public void Without_the_module_there_is_nothing_to_do_until_it_comes()
    {
        string netfilter = _root.Combine("proc/net/netfilter");
        string away = _root.Combine("proc/net/away");
        Directory.Move(netfilter, away);
        var messages = new List<(LogLevel Level, string Text)>();
        var conntrack = new NodeConntrack(
            _root.Combine("proc"), _root.Combine("sys"), new ConntrackSysctls(),
            new ListLogger((level, text) => messages.Add((level, text))));
        Assert.Empty(conntrack.Prepare());
        Assert.Empty(conntrack.Prepare());
        Assert.Equal([(LogLevel.Debug, "nf_conntrack is not loaded, so there is nothing to set of it")], messages);
        Assert.False(Directory.Exists(netfilter));

        Directory.Move(away, netfilter);
        Assert.Empty(conntrack.Prepare());
        Assert.Equal("262144", ReadSysctl(Max));
    }

    [Fact]
    public void S181_What_cannot_be_set_is_one_problem_that_says_which_and_what_and_goes_when_it_is_so()
    {
        // A directory in place of a file refuses whoever writes, root as well, as a read-only /proc/sys does.
        LinkToReadOnly(Max);
        Refuse($"proc/net/netfilter/{Established}");
        var conntrack = New(ConntrackSysctls.LeaveAll with { MaxPerCore = 100_000, TcpEstablishedTimeout = TimeSpan.FromHours(24) });
        var problem = Assert.Single(conntrack.Prepare());
        Assert.Equal("net.netfilter", problem.Subject);
        Assert.Contains($"net.netfilter.{Max} should be 800000 and is 65536 (", problem.Message, StringComparison.Ordinal);
        Assert.Contains($"net.netfilter.{Established} should be 86400 and is ? (", problem.Message, StringComparison.Ordinal);
        Assert.Contains("sysctl -w", problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Buckets, problem.Message, StringComparison.Ordinal);
        Assert.Equal("200000", ReadSysctl(Buckets));

        Assert.Equal([problem], conntrack.Prepare());
        Assert.Equal([problem.Message], _log.Lines);

        Directory.Delete(_root.Combine($"proc/net/netfilter/{Established}"));
        File.Delete(_root.Combine($"proc/net/netfilter/{Max}"));
        WriteSysctl(Established, "86400\n");
        WriteSysctl(Max, "800000\n");
        Assert.Empty(conntrack.Prepare());
    }

    [Fact]
    public void Buckets_that_cannot_be_set_are_told_once_and_no_problem()
    {
        Refuse($"proc/net/netfilter/{Buckets}");
        var messages = new List<(LogLevel Level, string Text)>();
        var conntrack = new NodeConntrack(
            _root.Combine("proc"), _root.Combine("sys"), ConntrackSysctls.LeaveAll with { MaxPerCore = 100_000 },
            new ListLogger((level, text) => messages.Add((level, text))));
        Assert.Empty(conntrack.Prepare());
        Assert.Empty(conntrack.Prepare());
        Assert.Equal("800000", ReadSysctl(Max));
        var (level, text) = Assert.Single(messages, message => message.Text.Contains(Buckets, StringComparison.Ordinal));
        Assert.Equal(LogLevel.Information, level);
        Assert.Contains($"net.netfilter.{Buckets} should be 200000 and is ? (", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1_000, 0)]
    [InlineData(100_000, 1)]
    public void A_limit_that_cannot_be_set_is_a_problem_only_where_it_is_too_low(int perCore, int problems)
    {
        LinkToReadOnly(Max);
        Assert.Equal(problems, New(ConntrackSysctls.LeaveAll with { MaxPerCore = perCore }).Prepare().Count);
        Assert.Equal(problems, _log.Lines.Count);
    }

    private NodeConntrack New(ConntrackSysctls wanted) => new(_root.Combine("proc"), _root.Combine("sys"), wanted, _log);

    // The kernel lets nobody write this one, root neither. It is 65536 everywhere.
    private void LinkToReadOnly(string name)
    {
        string path = _root.Combine($"proc/net/netfilter/{name}");
        File.Delete(path);
        File.CreateSymbolicLink(path, "/proc/sys/kernel/ngroups_max");
    }

    private void Refuse(string name)
    {
        File.Delete(_root.Combine(name));
        Directory.CreateDirectory(_root.Combine(name));
    }

    private string ReadSysctl(string name) => Read($"proc/net/netfilter/{name}");

    private void WriteSysctl(string name, string text) => Write($"proc/net/netfilter/{name}", text);

    private string Read(string name) => File.ReadAllText(_root.Combine(name));

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_root.Combine(name))!);
        File.WriteAllText(_root.Combine(name), text);
    }

    private sealed class ListLogger(Action<LogLevel, string> write) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            write(logLevel, formatter(state, exception));
    }
}
