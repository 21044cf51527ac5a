// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Net.Sockets;
using EbpfLb.Datapath.Status;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Agent.Serving;

/// <summary>Keeps the agent's ports open: what cannot be listened at is tried again for ever, as kube-proxy does.</summary>
/// <param name="ports">Those that are always open.</param>
/// <param name="mustBind">One of those that cannot be listened at ends the loop.</param>
internal sealed class ServingLoop(
    HttpServer server, IReadOnlyList<ServedPort> ports, bool mustBind, HealthCheckPorts healthChecks, ServingLimits limits,
    TimeProvider time, ILogger<ServingLoop> logger)
{
    private readonly Dictionary<ServedPort, OpenPort> _open = [];
    private IReadOnlyList<Problem> _ownProblems = [];

    /// <summary>Any thread may read it.</summary>
    public IReadOnlyList<Problem> Problems => [.. Volatile.Read(ref _ownProblems), .. healthChecks.Problems];

    /// <summary>Told after <see cref="Problems"/> changed.</summary>
    public Action? ProblemsChanged
    {
        get => healthChecks.ProblemsChanged;
        set => healthChecks.ProblemsChanged = value;
    }

    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            await server.StartAsync(stopping).ConfigureAwait(false);
            while (!stopping.IsCancellationRequested)
            {
                TryOpen();
                healthChecks.Retry();
                await Task.Delay(limits.RetryInterval, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        finally
        {
            healthChecks.Dispose();
            foreach (var port in _open.Values)
                port.Dispose();
            await server.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <exception cref="ServingException">What must be bound cannot be.</exception>
    internal void TryOpen()
    {
        var problems = new List<Problem>();
        foreach (var port in ports.Where(port => !_open.ContainsKey(port)))
        {
            try
            {
                _open[port] = server.Open(port.EndPoint, port.Site, bothFamilies: true);
                logger.Serving(port.Setting, _open[port].EndPoint);
            }
            catch (SocketException exception)
            {
                problems.Add(new Problem(
                    port.Setting,
                    $"{port.Setting} {port.EndPoint} cannot be listened at: {exception.Message}. "
                    + (mustBind ? "--bind-address-hard-fail makes that the agent's end" : "It is tried again")
                    + "; end what listens there, kube-proxy perhaps, or choose another address and port."));
            }
        }

        if (mustBind && problems.Count > 0)
            throw new ServingException(string.Join(' ', problems.Select(problem => problem.Message)));

        var known = _ownProblems;
        if (problems.SequenceEqual(known))
            return;

        foreach (var problem in problems.Except(known))
            logger.NotServing(problem.Message);
        Volatile.Write(ref _ownProblems, problems);
        ProblemsChanged?.Invoke();
    }

    internal IPEndPoint? EndPointOf(string setting) => _open.FirstOrDefault(open => open.Key.Setting == setting).Value?.EndPoint;
}

/// <param name="Setting">What an operator calls it.</param>
internal sealed record ServedPort(string Setting, IPEndPoint EndPoint, Site Site);

/// <summary>The agent was told to end rather than not to serve. The message says what cannot be bound.</summary>
internal sealed class ServingException(string message) : Exception(message);
