// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Datapath.Status;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Agent;

/// <summary>Sets the size and the timeouts of the node's own connection tracking, as kube-proxy does at its start.</summary>
/// <param name="sysctls">/proc/sys, or a copy of it.</param>
/// <param name="sysfs">/sys, or a copy of it.</param>
internal sealed class NodeConntrack(string sysctls, string sysfs, ConntrackSysctls wanted, ILogger logger)
{
    // A table of this many takes 300 MB. What cores ask for ends here; an explicit minimum may be more.
    private const int MaxByCores = 1_048_576;
    private const int EntriesPerBucket = 4;

    private const string Max = "net.netfilter.nf_conntrack_max";

    // The same as hashsize of the module, which a pod can only read.
    private const string Buckets = "net.netfilter.nf_conntrack_buckets";

    // Each is set once: what an operator changes later stays.
    private readonly HashSet<string> _set = new(StringComparer.Ordinal);

    private bool _missingTold;
    private bool _bucketsTold;
    private IReadOnlyList<Problem> _problems = [];

    /// <summary>
    /// For the start, and now and then from there on: a firewall may load the module at any time, and what was refused may be set by
    /// somebody else. A problem is logged when it comes.
    /// </summary>
    /// <returns>What is not as wanted, in one.</returns>
    public IReadOnlyList<Problem> Prepare()
    {
        (string Name, int Value, bool IsFloor)[] open = [.. Wanted().Where(value => !_set.Contains(value.Name))];
        if (open.Length > 0 && !File.Exists(PathOf(Max)))
        {
            if (!_missingTold)
                logger.NoConntrackModule();
            _missingTold = true;
            return [];
        }

        var refused = new List<string>();
        foreach (var (name, value, isFloor) in open)
        {
            if (Set(name, value, isFloor) is not { } failure)
                _set.Add(name);
            else if (name != Buckets)
                refused.Add(failure);
            else
                TellOfBuckets(failure);
        }

        Problem[] problems = refused.Count == 0 ? [] : [Describe(refused)];
        foreach (var problem in problems.Except(_problems))
            logger.SysctlProblem(problem.Message);
        _problems = problems;
        return problems;
    }

    private static Problem Describe(List<string> refused) => new(
        "net.netfilter",
        $"conntrack of the node is not as wanted: {string.Join("; ", refused)}. Set them on the node itself (sysctl -w), or ask for "
        + "nothing: --conntrack-max-per-core 0, and 0s for the timeouts");

    // Fewer of them make the table slower, and it holds as much. A network namespace that is not the machine's first cannot set them.
    private void TellOfBuckets(string failure)
    {
        if (!_bucketsTold)
            logger.BucketsNotSet(failure);
        _bucketsTold = true;
    }

    private IEnumerable<(string Name, int Value, bool IsFloor)> Wanted()
    {
        if (wanted.MaxPerCore > 0)
        {
            int max = int.Max(wanted.Min, (int)long.Min((long)wanted.MaxPerCore * Cores(), MaxByCores));
            // What somebody gave the node more of is not taken away: the kernel would drop packets until there are fewer entries.
            yield return (Max, max, true);
            yield return (Buckets, max / EntriesPerBucket, true);
        }

        foreach (var (name, timeout) in new[]
            {
                ("nf_conntrack_tcp_timeout_established", wanted.TcpEstablishedTimeout),
                ("nf_conntrack_tcp_timeout_close_wait", wanted.TcpCloseWaitTimeout),
                ("nf_conntrack_udp_timeout", wanted.UdpTimeout),
                ("nf_conntrack_udp_timeout_stream", wanted.UdpStreamTimeout),
            })
        {
            // Below a second the kernel would forget at once.
            if (timeout is { TotalSeconds: >= 1 } time)
                yield return ($"net.netfilter.{name}", (int)double.Min(time.TotalSeconds, int.MaxValue), false);
        }

        if (wanted.TcpBeLiberal)
            yield return ("net.netfilter.nf_conntrack_tcp_be_liberal", 1, false);
    }

    /// <returns>Null when it is so now.</returns>
    private string? Set(string name, int value, bool isFloor)
    {
        string path = PathOf(name);
        string before = "?";
        try
        {
            before = File.ReadAllText(path).Trim();
            if (int.TryParse(before, NumberStyles.None, CultureInfo.InvariantCulture, out int current)
                && (current == value || (isFloor && current > value)))
                return null;

            File.WriteAllText(path, value.ToString(CultureInfo.InvariantCulture));
            logger.SysctlSet(name, value, before);
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return $"{name} should be {value} and is {before} ({exception.Message.TrimEnd('.')})";
        }
    }

    // Of the machine: Environment.ProcessorCount is what this process may use of it.
    private int Cores()
    {
        try
        {
            int cores = 0;
            foreach (string range in File.ReadAllText(Path.Combine(sysfs, "devices/system/cpu/online")).Trim().Split(','))
            {
                string[] ends = range.Split('-');
                cores += int.Parse(ends[^1], CultureInfo.InvariantCulture) - int.Parse(ends[0], CultureInfo.InvariantCulture) + 1;
            }

            return cores;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException)
        {
            return Environment.ProcessorCount;
        }
    }

    private string PathOf(string name) => Path.Combine(sysctls, name.Replace('.', '/'));
}
